/** Version of proto/session.proto and of what travels over it. Both ends must have the same. */
export const PROTOCOL_VERSION = 2
