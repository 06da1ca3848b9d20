// Owns: logical channels between subtasks: rings between threads, TCP with credits between processes.
// Called by: taskmanager (slot threads use writers and readers; the TaskExecutor owns the network thread).
// Calls: serialization (batch codec).
// Thread: each end of a ring has one thread; sockets belong to the network thread.
export {
  type CaptureEnd,
  type CaptureListener,
  type ChannelEnds,
  type ChannelEvent,
  type ChannelHandler,
  type ChannelReader,
  type ChannelWriter,
  endOfCapture,
  type OverdraftBudget,
} from './channel/channel.ts'
export { createChannelReader } from './channel/ring-channel-reader.ts'
export { createChannelWriter } from './channel/ring-channel-writer.ts'
export {
  BindFailed,
  ConnectionLost,
  InvalidPartition,
  InvalidRecordKey,
  NetworkThreadLost,
  ProtocolViolation,
  UnknownChannel,
  WrongChannelCount,
} from './errors.ts'
export {
  DATA_PORT,
  MAX_OVERDRAFT_RECORDS,
  MAX_OVERDRAFT_SIZE,
  NETWORK_MEMORY_FRACTION,
  NETWORK_MEMORY_MAX,
  NETWORK_MEMORY_MIN,
  RING_SIZE,
} from './network-options.ts'
export {
  createRecordWriter,
  type Partitioner,
  type RecordTarget,
  type RecordWriterOptions,
} from './partition/record-writer.ts'
export { Doorbell } from './ring/doorbell.ts'
export { RingReclaimer } from './ring/reclaim-rings.ts'
export { allocateRing } from './ring/ring-layout.ts'
export {
  NetworkEnvironment,
  type NetworkEnvironmentDependencies,
  type NetworkEnvironmentOptions,
} from './transport/network-environment.ts'
export { NetworkThreadClient, type NetworkThreadClientOptions } from './transport/network-thread-client.ts'
export { type SocketFactory, tcpSockets } from './transport/socket-factory.ts'
