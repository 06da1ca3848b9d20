// Owns: the body of slot threads. Apart from index.ts so that these threads don't load what only the main thread needs.
// Called by: cluster (entry of slot threads).
// Calls: network (rings), state, operators, jobgraph (replay).
// Thread: slot threads.
export { runSlotThread, type SlotThreadDependencies } from './thread/run-slot-thread.ts'
