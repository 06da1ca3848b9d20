// Owns: what an operator is (contract), user function types, built-in operators, timers, watermarks, windows.
// Called by: streaming (makes factories), connectors (sources, sinks), taskmanager (runs them).
// Calls: state (keyed and operator state), serialization, common.
// Thread: one slot thread.
export {
  type AsyncKeyedProcessOptions,
  asyncKeyedProcessOperator,
} from './async/async-keyed-process-operator.ts'
export { type AsyncWaitOptions, asyncWaitOperator } from './async/async-wait-operator.ts'
export { broadcastSetOperator } from './batch/broadcast-set-operator.ts'
export { withBroadcastSets } from './batch/broadcast-sets-operator.ts'
export { collectOperator } from './builtin/collect-operator.ts'
export { filterOperator } from './builtin/filter-operator.ts'
export { flatMapOperator } from './builtin/flat-map-operator.ts'
export { keyedFinalReduceOperator } from './builtin/keyed-final-reduce-operator.ts'
export { keyedProcessOperator } from './builtin/keyed-process-operator.ts'
export { keyedReduceOperator } from './builtin/keyed-reduce-operator.ts'
export { mapOperator } from './builtin/map-operator.ts'
export { processOperator } from './builtin/process-operator.ts'
export { schemaOperator } from './builtin/schema-operator.ts'
export { sinkCommitterOperator, sinkOperator, sinkWriterOperator } from './builtin/sink-operator.ts'
export { sourceOperator } from './builtin/source-operator.ts'
export { timestampsAndWatermarksOperator } from './builtin/timestamps-and-watermarks-operator.ts'
export { withRecordChecks } from './checks/with-record-checks.ts'
export { generateFunction } from './codegen/generate-function.ts'
export type {
  CoordinatorContext,
  CoordinatorProvider,
  OperatorCoordinator,
} from './contract/operator-coordinator.ts'
export type { EdgePartitioner, ReplayedProgram } from './contract/replayed-program.ts'
export {
  type AttemptFiles,
  MAX_WATERMARK,
  MIN_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type SourceDriver,
  type StreamOperator,
} from './contract/stream-operator.ts'
export { AsyncFunctionNotSupported } from './errors.ts'
export {
  AbstractRichFunction,
  RichFilterFunction,
  RichFlatMapFunction,
  RichMapFunction,
  RichReduceFunction,
} from './functions/abstract-rich-functions.ts'
export {
  type Accumulator,
  AverageAccumulator,
  Counter,
  DoubleCounter,
  Histogram,
  IntCounter,
  ListAccumulator,
  LongCounter,
  MaximumAccumulator,
  MinimumAccumulator,
} from './functions/accumulators.ts'
export {
  type AsyncContext,
  type AsyncFunction,
  type AsyncMapFunction,
  type AsyncRetryPredicates,
  AsyncRetryStrategies,
  type AsyncRetryStrategy,
  type ResultFuture,
} from './functions/async-functions.ts'
export type {
  AsyncKeyedContext,
  AsyncKeyedProcessFunction,
  AsyncOnTimerContext,
} from './functions/async-process-function.ts'
export type {
  BroadcastContext,
  BroadcastProcessFunction,
  KeyedBroadcastContext,
  KeyedBroadcastProcessFunction,
  KeyedReadOnlyContext,
  KeyedReadOnlyOnTimerContext,
  ReadOnlyContext,
  StateOf,
} from './functions/broadcast-functions.ts'
export type {
  CoFlatMapFunction,
  CoMapFunction,
  CoProcessFunction,
  KeyedCoProcessFunction,
} from './functions/co-functions.ts'
export { type Collector, OutputTag } from './functions/collector.ts'
export { type Duration, durationMs } from './functions/duration.ts'
export type {
  AggregateFunction,
  FilterFunction,
  FlatMapFunction,
  KeyedProcessContext,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  OnTimerContext,
  ProcessContext,
  ProcessFunction,
  ReduceFunction,
  TimerService,
} from './functions/functions.ts'
export type {
  CoGroupFunction,
  FlatJoinFunction,
  JoinContext,
  JoinFunction,
  ProcessJoinFunction,
} from './functions/join-functions.ts'
export type { MetricGroup } from './functions/metric-group.ts'
export {
  DescriptiveStatisticsHistogram,
  type Gauge,
  type HistogramStatistics,
  type Meter,
  MeterView,
  type MetricCounter,
  type MetricHistogram,
  SimpleCounter,
} from './functions/metrics.ts'
export type {
  DistributedCache,
  FunctionInitializationContext,
  RichFunction,
  RuntimeContext,
} from './functions/rich-function.ts'
export { lifecycleOnly } from './functions/rich-function.ts'
export {
  describeValue,
  isAsyncFunction,
  userFunctionFailure,
  withStackOf,
} from './functions/user-function-failure.ts'
export { type IterationOptions, iterationHeadOperator } from './iteration/iteration-head-operator.ts'
export { iterationTailOperator } from './iteration/iteration-tail-operator.ts'
export { AsyncSink, type AsyncSinkOptions } from './sink/async-sink.ts'
export { DiscardingSink } from './sink/discarding-sink.ts'
export { PrintSink } from './sink/print-sink.ts'
export type { CommittableMessage, Committer, Sink, SinkWriter, SinkWriterContext } from './sink/sink.ts'
export { TwoPhaseCommitSinkFunction } from './sink/two-phase-commit-sink-function.ts'
export { CollectionSource } from './source/collection-source.ts'
export { type DataGeneratorOptions, DataGeneratorSource } from './source/data-generator-source.ts'
export type { IndexSplit } from './source/index-reader.ts'
export { NumberSequenceSource } from './source/number-sequence-source.ts'
export { type RateLimiter, RateLimiterStrategy } from './source/rate-limiter.ts'
export { type SocketTextOptions, SocketTextSource } from './source/socket-text-source.ts'
export type {
  ReaderOutput,
  Source,
  SourceReader,
  SourceReaderContext,
  SplitsOutput,
} from './source/source.ts'
export { createSourceCodec, type EnumeratorEvent, type ReaderEvent } from './source/source-events.ts'
export type { SplitEnumerator, SplitEnumeratorContext } from './source/split-enumerator.ts'
export {
  broadcastProcessOperator,
  keyedBroadcastProcessOperator,
} from './two-input/broadcast-process-operator.ts'
export { coFlatMapOperator } from './two-input/co-flat-map-operator.ts'
export {
  coGroupWindowFunction,
  joinWindowFunction,
  type TaggedUnion,
} from './two-input/co-group-window-function.ts'
export { coMapOperator } from './two-input/co-map-operator.ts'
export { coProcessOperator } from './two-input/co-process-operator.ts'
export { type IntervalJoinOptions, intervalJoinOperator } from './two-input/interval-join-operator.ts'
export { keyedCoProcessOperator } from './two-input/keyed-co-process-operator.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './types/standard-schema.ts'
export { type TypeInformation, type TypeOf, Types } from './types/types.ts'
export {
  AscendingTimestampExtractor,
  type AssignerWithPeriodicWatermarks,
  type AssignerWithPunctuatedWatermarks,
  BoundedOutOfOrdernessTimestampExtractor,
  type OldTimestampAssigner,
  watermarkStrategyOf,
} from './watermark/old-assigners.ts'
export type {
  WatermarkGenerator,
  WatermarkGeneratorContext,
  WatermarkGeneratorSupplier,
  WatermarkOutput,
} from './watermark/watermark-generator.ts'
export { type TimestampAssigner, WatermarkStrategy } from './watermark/watermark-strategy.ts'
export { WindowStagger } from './windowing/assigners/aligned-window.ts'
export { GlobalWindows } from './windowing/assigners/global-windows.ts'
export {
  EventTimeSessionWindows,
  ProcessingTimeSessionWindows,
  type SessionWindowTimeGapExtractor,
} from './windowing/assigners/session-windows.ts'
export {
  SlidingEventTimeWindows,
  SlidingProcessingTimeWindows,
} from './windowing/assigners/sliding-windows.ts'
export {
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from './windowing/assigners/tumbling-windows.ts'
export {
  isMerging,
  type MergingWindowAssigner,
  type WindowAssigner,
  type WindowAssignerContext,
} from './windowing/assigners/window-assigner.ts'
export { windowOperator } from './windowing/create-window-operator.ts'
export { CountEvictor, DeltaEvictor, TimeEvictor } from './windowing/evictors/built-in-evictors.ts'
export type { Evictor, EvictorContext, TimestampedValue } from './windowing/evictors/evictor.ts'
export type { KeyedStateStore } from './windowing/keyed-state-store.ts'
export { LATE_RECORDS_DROPPED } from './windowing/late-records.ts'
export { RichAllWindowFunction, RichWindowFunction } from './windowing/rich-window-functions.ts'
export { GlobalWindow, TimeWindow, type Window, type WindowSerializer } from './windowing/time-window.ts'
export {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
} from './windowing/triggers/continuous-triggers.ts'
export { CountTrigger } from './windowing/triggers/count-trigger.ts'
export { type DeltaFunction, DeltaTrigger } from './windowing/triggers/delta-trigger.ts'
export { NeverTrigger } from './windowing/triggers/never-trigger.ts'
export {
  type ProcessingTimeoutOptions,
  ProcessingTimeoutTrigger,
} from './windowing/triggers/processing-timeout-trigger.ts'
export { PurgingTrigger } from './windowing/triggers/purging-trigger.ts'
export { EventTimeTrigger, ProcessingTimeTrigger } from './windowing/triggers/time-triggers.ts'
export {
  type OnMergeContext,
  Trigger,
  type TriggerContext,
  TriggerResult,
} from './windowing/triggers/trigger.ts'
export type {
  AllWindowFunction,
  ProcessAllWindowFunction,
  ProcessWindowContext,
  ProcessWindowFunction,
  WindowAggregation,
  WindowFunction,
  WindowOutput,
  WindowResultFunction,
} from './windowing/window-functions.ts'
export type { WindowOptions } from './windowing/window-options.ts'
