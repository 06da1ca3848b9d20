// Owns: logical channels between subtasks: rings between threads, TCP with credits between processes.
// Called by: taskmanager (slot threads use writers and readers; the TaskExecutor owns the network thread).
// Calls: serialization (batch codec).
// Thread: each end of a ring has one thread; sockets belong to the network thread.
export type { ChannelEnds, ChannelEvent, ChannelHandler, ChannelReader, ChannelWriter } from './channel/channel.ts'
