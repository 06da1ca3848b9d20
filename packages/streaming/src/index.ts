// Owns: the DataStream API, the StreamGraph, its translation to a JobGraph.
// Called by: user programs (through flink-ts), cluster and cli for their own jobs and tests.
// Calls: operators (factories), jobgraph (plain graph, executor port), common.
// Thread: the one that evaluates the program: the client's main thread, or a slot or job host thread in replay.
export { AllWindowedStream, type AllWindowResult } from './datastream/all-windowed-stream.ts'
export {
  AsyncDataStream,
  type AsyncMapOptions,
  type AsyncOptions,
  type AsyncProcessOptions,
} from './datastream/async-data-stream.ts'
export {
  BroadcastConnectedStream,
  BroadcastStream,
  KeyedBroadcastConnectedStream,
} from './datastream/broadcast-stream.ts'
export { ConnectedStreams, KeyedConnectedStreams } from './datastream/connected-streams.ts'
export { DataStream } from './datastream/data-stream.ts'
export { DataStreamSink } from './datastream/data-stream-sink.ts'
export { BoundedIntervalJoin, IntervalJoin } from './datastream/interval-join.ts'
export type { IterateOptions } from './datastream/iteration-head.ts'
export { IterativeStream } from './datastream/iterative-stream.ts'
export type { KeyValue } from './datastream/key-value.ts'
export { KeyedStream } from './datastream/keyed-stream.ts'
export { SingleOutputStreamOperator } from './datastream/single-output-stream-operator.ts'
export {
  CoGroupedByKey,
  CoGroupedInWindows,
  CoGroupedStreams,
  JoinedByKey,
  JoinedInWindows,
  JoinedStreams,
} from './datastream/window-join.ts'
export { WindowedStream, type WindowResult } from './datastream/windowed-stream.ts'
export { CheckpointConfig } from './environment/checkpoint-config.ts'
export { ExecutionConfig } from './environment/execution-config.ts'
export type { JobListener } from './environment/job-listener.ts'
export { ParameterTool } from './environment/parameter-tool.ts'
export { RestartStrategies } from './environment/restart-strategies.ts'
export {
  EmbeddedRocksDBStateBackend,
  FsStateBackend,
  HashMapStateBackend,
  MemoryStateBackend,
  RocksDBStateBackend,
  type StateBackendChoice,
} from './environment/state-backends.ts'
export { StreamExecutionEnvironment } from './environment/stream-execution-environment.ts'
export type { RuntimeExecutionMode } from './streaming-options.ts'
