// Owns: how records are written in and read from file formats (CSV, Parquet).
// Called by: connectors; user code.
// Calls: filesystem (inputs), hyparquet.
// Thread: any; an open file belongs to one thread.
// openParquet has an entry of its own, parquet: its decoders take time to load, and few programs need them.
export { type CsvValue, encodeCsvRow } from './csv/encode-csv-row.ts'
export {
  CsvValueUnsupported,
  ParquetColumnMissing,
  ParquetIntegerTooLarge,
  ParquetInvalid,
} from './errors.ts'
export type {
  ColumnValues,
  Int64Mode,
  ParquetFile,
  ParquetOptions,
  RowGroup,
} from './parquet/open-parquet.ts'
export { createRowBuilder, type RowBuilder } from './parquet/row-builder.ts'
