/**
 * Tags of the tagged value format: one byte, then the payload. A stored format (state, checkpoints): numbers are never
 * reused. Lengths and counts are unsigned LEB128; numbers are little-endian.
 */
export const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** int32 */
  int32: 4,
  /** float64 */
  float64: 5,
  /** sign byte (1: negative), byte length, magnitude with the lowest byte first */
  bigint: 6,
  /** length, one byte a character */
  ascii: 7,
  /** byte length, UTF-8; well-formed text only */
  utf8: 8,
  /** byte length, UTF-16: text with lone surrogates */
  utf16: 9,
  /** float64 milliseconds, NaN for an invalid one */
  date: 10,
  /** count, values */
  array: 11,
  /** only inside arrays: an index without a value */
  hole: 12,
  /** count, then name (as a text value) and value of each field in order */
  object: 13,
  /** the same without a prototype */
  nullObject: 14,
  /** count, then key and value of each entry in order */
  map: 15,
  /** count, values in order */
  set: 16,
  /** index in {@link VIEW_KINDS}, byte length, bytes */
  view: 17,
  /** byte length, bytes */
  arrayBuffer: 18,
  /** source and flags as text values */
  regExp: 19,
  /** name, message, stack (text or undefined), flag: has a cause, cause */
  error: 20,
  /** 0x80 + n is the integer n, 0 to 127 */
  smallInt: 0x80,
} as const

/** Kinds of views on bytes by their number in the format; new ones are added at the end. */
export const VIEW_KINDS: readonly string[] = [
  'Uint8Array',
  'Buffer',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
]

/** Deeper nesting, or a cycle, is refused. */
export const MAX_DEPTH = 512
