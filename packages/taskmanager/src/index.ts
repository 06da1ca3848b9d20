// Owns: TaskExecutor (slots, jobs, channels of a TaskManager) and the slot thread that runs tasks.
// Called by: cluster (process entry, MiniCluster, entry of slot threads).
// Calls: gateways and rpc (ResourceManager, JobMasters), network (rings, network thread), state, operators, jobgraph.
// Thread: `executor` and `slots` on the main thread; `thread`, `mailbox`, `stream-task`, `checkpoint` in slot threads.
export { BarrierAligner } from './checkpoint/barrier-aligner.ts'
export type { Barrier, BarrierHandler, BarrierListener } from './checkpoint/barrier-handler.ts'
export { ChannelCapture } from './checkpoint/channel-capture.ts'
export { UnalignedBarriers } from './checkpoint/unaligned-barriers.ts'
export { BlobBundleCache, type BundleCache } from './executor/bundle-cache.ts'
export { CachedFiles } from './executor/cached-files.ts'
export { TaskExecutor } from './executor/task-executor.ts'
export type {
  TaskExecutorDependencies,
  TaskExecutorNetwork,
  TaskExecutorOptions,
} from './executor/task-executor-ports.ts'
export type { SlotThread, SlotThreadFactory, SlotThreadListener } from './slots/slot-thread.ts'
export { WorkerSlotThreads, type WorkerSlotThreadsOptions } from './slots/worker-slot-threads.ts'
export {
  REGISTRATION_INITIAL_PAUSE,
  REGISTRATION_MAX_PAUSE,
  SLOT_TIMEOUT,
  TASK_CANCELLATION_TIMEOUT,
  TASK_HEAP_SIZE,
  type TaskExecutorSettings,
  taskExecutorSettingsOf,
} from './taskmanager-options.ts'
