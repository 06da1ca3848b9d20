/**
 * Looks whether a process lives by connecting to a port that it holds open. `refused`: nothing listens there any more.
 * `unknown`: something answered, or nothing did in time; it may be dead nevertheless. Never rejects.
 */
export type PeerProbe = (address: string) => Promise<'refused' | 'unknown'>
