// Owns: the public API: what users import.
// Called by: user programs.
// Calls: streaming, operators, state, connectors (re-exported); jobgraph (default execution context).
// Thread: the one that evaluates the program.
import { registerLocalContext } from './local-context.ts'

registerLocalContext()

export { Configuration, FlinkError, isFlinkError } from '@flink-ts/common'
export {
  type CsvColumn,
  type CsvSinkBuilder,
  FileSink,
  FileSource,
  type ParquetSourceBuilder,
  type RowSinkBuilder,
  type TextLineSourceBuilder,
} from '@flink-ts/connectors'
export type { JobClient, JobExecutionResult, JobStatus, RestartStrategy } from '@flink-ts/jobgraph'
export {
  type AggregateFunction,
  CollectionSource,
  type Collector,
  type Committer,
  type DataGeneratorOptions,
  DataGeneratorSource,
  DiscardingSink,
  type Duration,
  type FilterFunction,
  type FlatMapFunction,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type KeySelector,
  type MapFunction,
  NumberSequenceSource,
  type OnTimerContext,
  OutputTag,
  PrintSink,
  type ProcessContext,
  type ProcessFunction,
  type ReaderOutput,
  type ReduceFunction,
  type RichFunction,
  type RuntimeContext,
  type Sink,
  type SinkWriter,
  type SinkWriterContext,
  type Source,
  type SourceReader,
  type SourceReaderContext,
  type TimerService,
  type TimestampAssigner,
  type TimeWindow,
  TumblingEventTimeWindows,
  WatermarkStrategy,
  type WindowFunction,
} from '@flink-ts/operators'
export { type ValueState, ValueStateDescriptor } from '@flink-ts/state'
export {
  CheckpointConfig,
  DataStream,
  DataStreamSink,
  ExecutionConfig,
  KeyedStream,
  type KeyValue,
  RestartStrategies,
  SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  WindowedStream,
} from '@flink-ts/streaming'
