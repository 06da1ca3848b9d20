import type { JobId } from '@flink-ts/common'
import type { JobLeftovers, JobProgress, JobRecord } from './job-progress.ts'

/** A job as a leader finds it. */
export interface StoredJob {
  readonly jobId: JobId
  readonly record: JobRecord
  /** What was submitted; undefined if the job is over. */
  readonly submission: unknown
  /** Blobs that are kept with it. */
  readonly blobKeys: readonly string[]
}

/**
 * Jobs that outlive JobManagers, as one leader sees them. Each write counts when it has resolved; all reject with
 * `highavailability.leadership-lost` when it does not, because another leader has begun. Plain data only.
 */
export interface JobStore {
  /** All jobs; damaged ones are logged and left as they are. Rejects while the storage is away. */
  list(): Promise<readonly StoredJob[]>
  /** Keeps an accepted job together with these blobs. */
  add(jobId: JobId, submission: unknown, blobKeys: readonly string[]): Promise<void>
  /**
   * Replaces what is known of a job. Of one that is over, what was submitted is removed, and all blobs but these. Calls
   * for one job must not overlap.
   */
  record(jobId: JobId, record: JobRecord, blobKeys?: readonly string[]): Promise<void>
  /** Forgets a job that is over. Idempotent. */
  remove(jobId: JobId): Promise<void>
  /** Content of a blob that is kept with a job. */
  readBlob(jobId: JobId, blobKey: string): AsyncIterable<Uint8Array>
}

/** The part of a {@link JobStore} that belongs to one job: what its JobMaster writes. */
export interface JobRecorder {
  /** Calls must not overlap. */
  progress(progress: JobProgress): Promise<void>
  /** @param blobKeys blobs that belong to the outcome */
  over(
    outcome: unknown,
    endedAt: number,
    leftovers: JobLeftovers | undefined,
    blobKeys: readonly string[],
  ): Promise<void>
}

/** The recorder of one job. */
export function recorderOf(store: JobStore, jobId: JobId): JobRecorder {
  return {
    progress: progress => store.record(jobId, { status: 'running', progress }),
    over: (outcome, endedAt, leftovers, blobKeys) =>
      store.record(jobId, { status: 'over', endedAt, outcome, leftovers }, blobKeys),
  }
}
