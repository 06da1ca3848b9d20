import { CsvValueUnsupported } from '../errors.ts'

/** What a CSV field can hold. null and undefined are empty fields; Dates are written as ISO 8601 in UTC. */
export type CsvValue = string | number | bigint | boolean | Date | null | undefined

const NEEDS_QUOTES = /[",\r\n]|^[ \t]|[ \t]$/

/**
 * One row of RFC 4180 without its line end: fields with commas, quotes, line breaks or outer blanks are quoted,
 * quotes doubled. A single empty field is quoted, since an empty line would be no row; and so is an empty text beside
 * null, which is written as nothing. Throws `formats.csv-value-unsupported`.
 */
export function encodeCsvRow(values: readonly unknown[]): string {
  if (values.length === 1) {
    const only = encodeField(values[0], 0)
    return only === '' ? '""' : only
  }
  let row = ''
  for (let i = 0; i < values.length; i++)
    row += i === 0 ? encodeField(values[i], i) : `,${encodeField(values[i], i)}`
  return row
}

function encodeField(value: unknown, position: number): string {
  switch (typeof value) {
    case 'string':
      if (value === '') return '""'
      return NEEDS_QUOTES.test(value) ? `"${value.replaceAll('"', '""')}"` : value
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'undefined':
      return ''
    default:
      break
  }
  if (value === null) return ''
  if (value instanceof Date) return value.toISOString()
  throw CsvValueUnsupported({ type: Array.isArray(value) ? 'an array' : `of type ${typeof value}`, position })
}
