// Owns: the body of coordinator threads. Apart from index.ts so that these threads load only what they need.
// Called by: cluster (entry of coordinator threads).
// Calls: operators (coordinators), jobgraph (replay).
// Thread: one thread of the job host for each job.
export { runCoordinatorThread } from './coordinators/run-coordinator-thread.ts'
