// Owns: the wiring: which implementations a process is made of; the processes' mains; MiniCluster.
// Called by: start scripts (mains), the umbrella package (local execution), tests.
// Calls: all components.
// Thread: main threads; slot-thread-main is the body of slot threads.
export { createLocalExecutor, type LocalExecutorOptions } from './minicluster/local-executor.ts'
export { MiniCluster, type MiniClusterOptions } from './minicluster/mini-cluster.ts'
