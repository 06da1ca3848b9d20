// Owns: connectors to external systems: files.
// Called by: flink-ts (exports them to users), cluster.
// Calls: formats, filesystem, operators (the shapes of sources and sinks).
// Thread: builders where main runs; readers, writers and committers in one slot thread each.
export {
  CsvColumnsDiffer,
  CsvColumnsUnknown,
  FileChanged,
  FileNotUnpackable,
  LineTooLong,
  PartFileLost,
  PathNotFound,
} from './errors.ts'
export type { CsvColumn } from './files/csv-row-encoder.ts'
export { type CsvSinkBuilder, FileSink, type RowSinkBuilder } from './files/file-sink.ts'
export { FileSource, type ParquetSourceBuilder, type TextLineSourceBuilder } from './files/file-source.ts'
export type { ParquetSplit } from './files/parquet-source.ts'
export type { PartCommittable, PartWriterState } from './files/part-file.ts'
export type { TextSplit } from './files/text-line-source.ts'
