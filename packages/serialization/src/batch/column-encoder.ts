import { type BatchSchema, type ColumnType, MAX_COLUMN_STRING } from './batch-schema.ts'
import { generate } from './generate.ts'

/** Columns of one schema, filled row by row. Generated, one for each schema of each encoder. */
export interface ColumnEncoder {
  /** Puts a record at `row`. Returns the number of characters added to the heap, -1 if the record does not fit. */
  append(record: unknown, row: number): number
  /** Writes `rows` rows from byte `offset` of the views' memory (a multiple of 8); returns the offset behind them. */
  write(
    i32: Int32Array,
    f64: Float64Array,
    u16: Uint16Array,
    u8: Uint8Array,
    offset: number,
    rows: number,
  ): number
  /** The strings of all rows, which are then forgotten. */
  takeHeap(): string
  /** The typed arrays of the columns, and a way to continue from those of another schema of the same names. */
  readonly columns: readonly Column[]
  continueFrom(other: ColumnEncoder, rows: number): void
}

type Column = Int32Array | Float64Array | Uint16Array | Uint8Array

const WIDTH: Record<ColumnType, number> = { i: 4, f: 8, s: 2, b: 1, d: 8 }
const ARRAY: Record<ColumnType, string> = {
  i: 'Int32Array',
  f: 'Float64Array',
  s: 'Uint16Array',
  b: 'Uint8Array',
  d: 'Float64Array',
}
const VIEW: Record<ColumnType, string> = { i: 'i32', f: 'f64', s: 'u16', b: 'u8', d: 'f64' }
const SHIFT: Record<ColumnType, number> = { i: 2, f: 3, s: 1, b: 0, d: 3 }

/** Bytes of a row without its strings. */
export function rowBytesOf(schema: BatchSchema): number {
  return schema.types.reduce((sum, type) => sum + WIDTH[type], 0)
}

export function createColumnEncoder(schema: BatchSchema, capacity: number): ColumnEncoder {
  const { names, types } = schema
  const each = (line: (type: ColumnType, i: number) => string): string => types.map(line).join('\n')
  const guard: Record<ColumnType, (x: string) => string> = {
    // The type first: `| 0` on anything else calls its valueOf, or throws (bigint, objects without one).
    i: x => `typeof ${x} === 'number' && (${x} | 0) === ${x} && !Object.is(${x}, -0)`,
    f: x => `typeof ${x} === 'number'`,
    s: x => `typeof ${x} === 'string' && ${x}.length <= ${MAX_COLUMN_STRING}`,
    b: x => `typeof ${x} === 'boolean'`,
    d: x => `${x} instanceof Date && getPrototypeOf(${x}) === datePrototype`,
  }
  const store: Record<ColumnType, (i: number) => string> = {
    i: i => `c${i}[row] = x${i}`,
    f: i => `c${i}[row] = x${i}`,
    s: i => `c${i}[row] = x${i}.length; heap += x${i}; chars += x${i}.length`,
    b: i => `c${i}[row] = x${i} ? 1 : 0`,
    d: i => `c${i}[row] = x${i}.getTime()`,
  }
  // Names, their number, their order and the prototype must be the same, or the record would come back as another one.
  const shape =
    names === undefined
      ? 'const x0 = record'
      : `if (typeof record !== 'object' || record === null || getPrototypeOf(record) !== objectPrototype) return -1
         let k = 0
         for (const name in record) if (name !== names[k++]) return -1
         if (k !== ${names.length}) return -1
         ${each((_, i) => `const x${i} = record[${JSON.stringify(names[i])}]`)}`
  const body = `
    ${each((type, i) => `const c${i} = new ${ARRAY[type]}(${capacity})`)}
    const columns = [${types.map((_, i) => `c${i}`).join(', ')}]
    let heap = ''
    return {
      columns,
      append(record, row) {
        ${shape}
        if (!(${types.map((type, i) => guard[type](`x${i}`)).join(' && ')})) return -1
        let chars = 0
        ${each((type, i) => store[type](i))}
        return chars
      },
      write(i32, f64, u16, u8, offset, rows) {
        let o = offset
        ${each(
          (type, i) =>
            `${VIEW[type]}.set(c${i}.subarray(0, rows), o >> ${SHIFT[type]}); o = (o + rows * ${WIDTH[type]} + 7) & ~7`,
        )}
        return o
      },
      takeHeap() { const taken = heap; heap = ''; return taken },
      continueFrom(other, rows) {
        for (let i = 0; i < columns.length; i++) columns[i].set(other.columns[i].subarray(0, rows))
        heap = other.takeHeap()
      },
    }`
  return generate(['names', 'getPrototypeOf', 'objectPrototype', 'datePrototype'], body, [
    names,
    Object.getPrototypeOf,
    Object.prototype,
    Date.prototype,
  ])
}
