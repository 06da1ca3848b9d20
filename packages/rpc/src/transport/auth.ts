import { isAuthToken } from '@flink-ts/common'
import type * as Grpc from '@grpc/grpc-js'
import { Unauthenticated } from '../errors.ts'

const HEADER = 'authorization'
const SCHEME = 'Bearer '

/** Options with which every call of a client shows the token. */
export function withAuthToken(
  options: Grpc.ChannelOptions,
  token: string | undefined,
  grpc: typeof Grpc,
): Grpc.ClientOptions {
  if (token === undefined) return options
  const show: Grpc.Interceptor = (callOptions, nextCall) =>
    new grpc.InterceptingCall(nextCall(callOptions), {
      start(metadata, listener, next) {
        metadata.set(HEADER, SCHEME + token)
        next(metadata, listener)
      },
    })
  return { ...options, interceptors: [show] }
}

/**
 * Checks the token of a call. Throws `rpc.unauthenticated`.
 * @param token undefined: none is demanded
 */
export function checkAuthToken(metadata: Grpc.Metadata, token: string | undefined, address: string): void {
  if (token === undefined) return
  const given = String(metadata.get(HEADER)[0] ?? '')
  if (isAuthToken(given, SCHEME + token)) return
  throw Unauthenticated({ address, given: given !== '' })
}
