import type { Clock, Logger, Random } from '@flink-ts/common'
import type { BlobStore } from '@flink-ts/rpc'
import type { LeaderContender } from '../leader/leader-campaign.ts'
import type { LeaderRetrieval } from '../leader/leader-information.ts'
import type { LeaderTerm } from '../leader/leader-term.ts'
import type { JobStore } from './job-store.ts'

/** Stands for election until it is closed. */
export interface Campaign {
  start(): void
  /** Ends the term in order and lets the next leader begin. Idempotent; never rejects. */
  close(): Promise<void>
}

/**
 * What survives JobManagers, one driver for each `high-availability.type`. What a driver must keep: epochs grow, each
 * belongs to one process; a write that has resolved is seen by every later leader; a write that has not never replaces
 * one of a later leader.
 */
export interface HighAvailability {
  readonly leader: LeaderRetrieval
  /** Whether it can be written to. Rejects with `highavailability.storage-unusable`. */
  prepare(random: Random): Promise<void>
  /** @param options where this process is reached when it leads */
  campaign(
    options: { readonly address: string; readonly restAddress: string },
    dependencies: {
      readonly contender: LeaderContender
      readonly clock: Clock
      readonly random: Random
      readonly logger: Logger
    },
  ): Campaign
  /** The jobs, for the leader of this term. */
  jobs(term: LeaderTerm, dependencies: { readonly blobs: BlobStore; readonly logger: Logger }): JobStore
}
