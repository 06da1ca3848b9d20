// Owns: one job while it runs: execution graph, slots, deployment, failover, checkpoints.
// Called by: TaskExecutors over RPC; made and asked by the Dispatcher through a factory of cluster.
// Calls: TaskExecutors, the ResourceManager, checkpoint storage.
// Thread: the main thread of the JobManager process.
export {
  type JobHostLauncher,
  JobHostPool,
  type LaunchedJobHost,
} from './coordination/job-host-pool.ts'
export { JobManagerOptionKeys } from './jobmanager-options.ts'
export { JobMaster } from './jobmaster/job-master.ts'
export type { JobMasterDependencies, JobMasterOptions, JobRecording } from './jobmaster/job-master-ports.ts'
