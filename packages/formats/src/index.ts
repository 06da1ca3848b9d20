// Owns: how records are written in and read from file formats (CSV, Parquet).
// Called by: connectors; user code.
// Calls: filesystem (inputs), hyparquet.
// Thread: any; an open file belongs to one thread.
export { type CsvValue, encodeCsvRow } from './csv/encode-csv-row.ts'
export {
  CsvValueUnsupported,
  ParquetColumnMissing,
  ParquetIntegerTooLarge,
  ParquetInvalid,
} from './errors.ts'
export {
  type ColumnValues,
  type Int64Mode,
  openParquet,
  type ParquetFile,
  type ParquetOptions,
  type RowGroup,
} from './parquet/open-parquet.ts'
export { createRowBuilder, type RowBuilder } from './parquet/row-builder.ts'
