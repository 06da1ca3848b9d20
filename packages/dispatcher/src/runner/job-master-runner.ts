import type { JobDetails, JobOverview, JobResult } from '@flink-ts/gateways'

/** One job while it runs, as the Dispatcher sees it. */
export interface JobMasterRunner {
  overview(): JobOverview
  details(): JobDetails
  /** Idempotent; does not wait for the end. */
  cancel(): Promise<void>
  /** Settles when the job is over; never rejects. */
  result(): Promise<JobResult>
  /** Suspends the job if it runs. */
  close(): Promise<void>
}
