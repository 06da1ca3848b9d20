import type { JobStatus } from '@flink-ts/jobgraph'

// INITIALIZING -> CREATED -> RUNNING -> FINISHED
//                              |  ^-> RESTARTING            a failure that the restart strategy answers with a restart
//                              +-> FAILING -> FAILED        a failure that ends the job
//   from each of these:        +-> CANCELLING -> CANCELED
const TRANSITIONS: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  INITIALIZING: ['CREATED', 'FAILED', 'CANCELED', 'SUSPENDED'],
  CREATED: ['RUNNING', 'CANCELLING', 'FAILING', 'SUSPENDED'],
  RUNNING: ['FINISHED', 'RESTARTING', 'FAILING', 'CANCELLING', 'SUSPENDED'],
  RESTARTING: ['RUNNING', 'FAILING', 'CANCELLING', 'SUSPENDED'],
  FAILING: ['FAILED', 'CANCELLING', 'SUSPENDED'],
  CANCELLING: ['CANCELED', 'SUSPENDED'],
  FAILED: [],
  CANCELED: [],
  FINISHED: [],
  SUSPENDED: [],
  RECONCILING: [],
}

/** Whether a job may go from one status to another. */
export function canChangeStatus(from: JobStatus, to: JobStatus): boolean {
  return TRANSITIONS[from].includes(to)
}
