// Owns: what an operator is (contract), user function types, built-in operators, timers, watermarks, windows.
// Called by: streaming (makes factories), connectors (sources, sinks), taskmanager (runs them).
// Calls: state (keyed and operator state), serialization, common.
// Thread: one slot thread.
export type { EdgePartitioner, ReplayedProgram } from './contract/replayed-program.ts'
export {
  MAX_WATERMARK,
  MIN_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type SourceDriver,
  type StreamOperator,
} from './contract/stream-operator.ts'
export type { Committer, Sink, SinkWriter, SinkWriterContext } from './sink/sink.ts'
export type { ReaderOutput, Source, SourceReader, SourceReaderContext } from './source/source.ts'
