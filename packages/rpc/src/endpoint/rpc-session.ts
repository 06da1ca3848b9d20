import type { FlinkError, LeaderSessionId, ResourceId } from '@flink-ts/common'
import type { BlobAccess } from '../blob/blob-access.ts'

/** Names the methods of a remote interface: only these can be called over a session. */
export interface GatewayDefinition<G> {
  readonly name: string
  readonly methods: readonly (keyof G & string)[]
}

/** Declares a gateway; the list must name every method of `G`. */
export function defineGateway<G>(name: string, methods: readonly (keyof G & string)[]): GatewayDefinition<G> {
  return { name, methods }
}

/** Who is at the other end. */
export interface RpcPeer {
  /** Name of the endpoint or client: `task-executor`, `job-master/<job id>`. */
  readonly name: string
  readonly resourceId: ResourceId
  readonly version: string
}

/**
 * One sequenced, bidirectional stream between two endpoints, for one term of the leader (DESIGN 2). Calls in one
 * direction arrive in the order in which they were made, each at most once. A short break of the connection is
 * bridged (unacknowledged messages are sent again); a longer one, a silent peer, or a close loses the session: every
 * open call rejects with `rpc.session-lost`, and nothing more arrives.
 */
export interface RpcSession {
  readonly peer: RpcPeer
  /** Fencing token of the term in which the session was opened; a new term needs a new session. */
  readonly leaderSessionId: LeaderSessionId
  readonly lost: boolean
  /** When the peer was last heard, milliseconds since the epoch; undefined: in memory, where silence means nothing. */
  readonly lastHeardAt?: number | undefined
  /** The peer's methods. Arguments and results are plain data (also bytes, Maps, undefined, NaN); errors are rebuilt. */
  gateway<G extends object>(definition: GatewayDefinition<G>): G
  /** Called once, when the session is lost or closed, with the reason; at once if it is lost already. */
  onLost(listener: (cause: FlinkError) => void): void
  /** Ends the session; the peer learns the reason. */
  close(reason: string): void
}

/** What a side of a session answers to: an object with the methods of the gateways it serves. */
export type RpcHandlers = object

/** A named service of this process that others open sessions to. Handlers run on the main thread, one call at a time until it first awaits. */
export interface RpcEndpoint {
  readonly endpointName: string
  readonly leaderSessionId: LeaderSessionId
  /** Called for each new session; the answer serves the peer's calls. Throwing refuses the session. */
  acceptSession(session: RpcSession): RpcHandlers
}

/** Access to endpoints here and elsewhere. The caller can't tell which, but for latency and lost connections. */
export interface RpcService {
  /** Where peers reach this process: `host:port`. Sessions to the own address go through memory. */
  readonly address: string
  /** This process. */
  readonly resourceId: ResourceId
  serve(endpoint: RpcEndpoint): void
  /** Ends the endpoint's sessions and forgets it. */
  withdraw(endpointName: string): void
  /**
   * Opens a session to `endpointName` at `address`. Rejects with `rpc.connection-refused` (retry: backoff),
   * `rpc.endpoint-not-found` (retry: backoff) or `rpc.version-mismatch`.
   * @param local who we are, and what the peer may call here; made after the session exists
   */
  connect(
    address: string,
    endpointName: string,
    local: { readonly name: string; readonly handlers: (session: RpcSession) => RpcHandlers },
  ): Promise<RpcSession>
  close(): Promise<void>
}

/** Access to the endpoints and blobs of other processes, for those who serve none. Every service is one too. */
export interface RpcClient extends Pick<RpcService, 'resourceId' | 'connect' | 'close'> {
  readonly blobs: BlobAccess
}
