import type { LeaderSessionId } from '@flink-ts/common'

/** Where the leader is. */
export interface LeaderInformation {
  /** Grows strictly from leader to leader. */
  readonly epoch: number
  /** Fencing token of its endpoints for clients and TaskManagers. */
  readonly leaderSessionId: LeaderSessionId
  /** `host:port` of its endpoints. */
  readonly address: string
  /** `host:port` of its REST API. */
  readonly restAddress: string
}

/** Tells TaskManagers and clients where the leader is. */
export interface LeaderRetrieval {
  /** For messages: where the leader is written down. */
  readonly where: string
  /** Who leads, as far as is known: it may be dead or frozen. Undefined: nobody does. */
  current(): Promise<LeaderInformation | undefined>
}
