/**
 * Layout of a batch, from a multiple of 8, in the machine's byte order (little-endian wherever Node runs):
 * 8 words of header, schema text (UTF-8), timestamps (float64 for each record, only with FLAG_TIMED), positions of the
 * records that are beside the columns (int32), the columns, the heap of all strings, the records beside the columns as
 * tagged values. Each part begins at a multiple of 8. Strings are in the order of records, then of fields.
 */
const HEADER_WORDS = 8
export const HEADER_BYTES = HEADER_WORDS * 4

export const WORD = {
  /** All records. */
  records: 0,
  flags: 1,
  schemaBytes: 2,
  /** Records in columns. */
  rows: 3,
  heapBytes: 4,
  sideBytes: 5,
} as const

export const FLAG_TIMED = 1
/** The heap's form is in bits 1 and 2. */
export const HEAP_SHIFT = 1
export const HEAP_ASCII = 0
export const HEAP_UTF8 = 1
export const HEAP_UTF16 = 2

/** The next multiple of 8. */
export function align8(n: number): number {
  return (n + 7) & ~7
}
