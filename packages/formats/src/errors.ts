import { defineError } from '@flink-ts/common'

/** A file is no Parquet file, or damaged. */
export const ParquetInvalid = defineError<{ file: string; reason: string }>({
  code: 'formats.parquet-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `${d.file} cannot be read as Parquet: ${d.reason}. Give a whole Parquet file.`,
})

/** A column was asked for that the file does not have. */
export const ParquetColumnMissing = defineError<{ file: string; column: string; known: readonly string[] }>({
  code: 'formats.parquet-column-missing',
  domain: 'user',
  retry: 'no',
  message: d => `${d.file} has no column '${d.column}'. It has: ${d.known.join(', ')}.`,
})

/** A 64-bit integer does not fit into a number. */
export const ParquetIntegerTooLarge = defineError<{
  file: string
  column: string
  row: number
  value: string
}>({
  code: 'formats.parquet-integer-too-large',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.file}: ${d.value} in column '${d.column}', row ${d.row}, is beyond 2^53 and would lose digits as a number. ` +
    "Read 64-bit integers as bigint: FileSource.forParquet(path).withInt64As('bigint').",
})

/** A value has no text in a CSV row. */
export const CsvValueUnsupported = defineError<{ type: string; position: number }>({
  code: 'formats.csv-value-unsupported',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Value ${d.position + 1} of a CSV row is ${d.type}: only texts, numbers, bigints, booleans, Dates, null and ` +
    'undefined have a text. Give a format function for this column.',
})
