import type {
  CheckpointStatistics,
  JobDetails,
  JobOverview,
  JobResult,
  SavepointRequestOptions,
  VertexAttempts,
} from '@flink-ts/gateways'

/** One job while it runs, as the Dispatcher sees it. */
export interface JobMasterRunner {
  overview(): JobOverview
  details(): JobDetails
  checkpoints(): CheckpointStatistics
  attempts(): readonly VertexAttempts[]
  /** Idempotent; does not wait for the end. */
  cancel(): Promise<void>
  /** Resolves with the URI of the savepoint; with `stop`, when the job has ended. */
  triggerSavepoint(options: SavepointRequestOptions): Promise<string>
  /** Takes a checkpoint now; resolves with its id. */
  triggerCheckpoint(): Promise<string>
  /** Settles when the job is over; never rejects. */
  result(): Promise<JobResult>
  /** Suspends the job if it runs. */
  close(): Promise<void>
}
