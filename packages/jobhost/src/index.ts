// Owns: the job host: the part of jobs that exists once for the job (split enumerators, global committers).
// Called by: cluster (process entry, MiniCluster).
// Calls: gateways and rpc (the JobManager that started it), jobgraph (bundles, replay), operators (coordinators).
// Thread: `host` on the main thread of the job host; `coordinators` in one thread for each job.
export { CoordinatorsRunner } from './coordinators/coordinators-runner.ts'
export type { CoordinatorThread, CoordinatorThreadFactory } from './host/coordinator-thread.ts'
export { JobHost, type JobHostDependencies, type JobHostOptions } from './host/job-host.ts'
export { WorkerCoordinatorThreads } from './host/worker-coordinator-threads.ts'
export { COORDINATORS_HEAP_SIZE } from './jobhost-options.ts'
