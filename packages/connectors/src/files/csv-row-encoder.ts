import { encodeCsvRow } from '@flink-ts/formats'
import { CsvColumnsDiffer, CsvColumnsUnknown } from '../errors.ts'

/** One column of a CSV file: a field of the record, or a name and how its value is made. */
export type CsvColumn<T> =
  | (keyof T & string)
  | { readonly name: string; readonly value: (record: T) => unknown }

/** Turns records into rows. One for each writer. */
export interface RowEncoder<T> {
  /** First line of each file; undefined: none. Known after the first record at the latest. */
  header(): string | undefined
  encode(record: T): string
}

/**
 * Rows of RFC 4180. Without `columns` the fields of the first record are the columns, and a record with others throws
 * `connectors.csv-columns-differ`, so that no value is lost in silence.
 */
export function csvRowEncoder<T>(
  columns: readonly CsvColumn<T>[] | undefined,
  withHeader: boolean,
): RowEncoder<T> {
  if (columns !== undefined) {
    const names = columns.map(column => (typeof column === 'string' ? column : column.name))
    const values = columns.map(column =>
      typeof column === 'string' ? (record: T): unknown => record[column] : column.value,
    )
    const header = withHeader ? encodeCsvRow(names) : undefined
    return { header: () => header, encode: record => encodeCsvRow(values.map(value => value(record))) }
  }
  let fields: readonly string[] | undefined
  return {
    header: () => (withHeader && fields !== undefined ? encodeCsvRow(fields) : undefined),
    encode(record) {
      fields ??= fieldsOf(record)
      const row = record as Record<string, unknown>
      const present = Object.keys(row)
      if (present.length !== fields.length || !fields.every(field => Object.hasOwn(row, field))) {
        throw CsvColumnsDiffer({ columns: fields, fields: present })
      }
      return encodeCsvRow(fields.map(field => row[field]))
    },
  }
}

function fieldsOf(record: unknown): readonly string[] {
  if (record === null || typeof record !== 'object') throw CsvColumnsUnknown({ type: `a ${typeof record}` })
  if (Array.isArray(record)) throw CsvColumnsUnknown({ type: 'an array' })
  const fields = Object.keys(record)
  if (fields.length === 0) throw CsvColumnsUnknown({ type: 'an object without fields' })
  return fields
}
