// Owns: the jobs of the cluster, running and finished.
// Called by: clients and REST; wired by cluster, which supplies the runner of a job.
// Calls: runners of jobs, the ResourceManager (overview), the blob store.
// Thread: the main thread of the JobManager process.

export { DispatcherOptionKeys } from './dispatcher-options.ts'
export {
  Dispatcher,
  type DispatcherDependencies,
  type DispatcherOptions,
  type RecoveredJobs,
} from './endpoint/dispatcher.ts'
export { type FinishedJob, finishedJobOf } from './runner/finished-job-store.ts'
export type { JobMasterRunner } from './runner/job-master-runner.ts'
