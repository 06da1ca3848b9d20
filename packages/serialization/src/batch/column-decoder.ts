import type { Push } from './batch-codec.ts'
import type { BatchSchema, ColumnType } from './batch-schema.ts'
import { generate } from './generate.ts'

/** Rows of one schema. Generated, one for each schema of each decoder. */
export interface ColumnDecoder {
  /** Looks at the columns from byte `offset` of the views' memory; returns the offset behind them. */
  open(
    i32: Int32Array,
    f64: Float64Array,
    u16: Uint16Array,
    u8: Uint8Array,
    offset: number,
    rows: number,
  ): number
  /** The strings of all rows. */
  setHeap(heap: string): void
  /**
   * Hands out rows `from` to `to - 1`. The timestamp of row i is at index `times + i` of the float64 view; `times` of
   * NO_TIMES: none.
   */
  rows(from: number, to: number, times: number, timestamp: Float64Array, sink: Push): void
}

export const NO_TIMES = -(2 ** 30)

export function createColumnDecoder(schema: BatchSchema): ColumnDecoder {
  const { names, types } = schema
  const each = (line: (type: ColumnType, i: number) => string): string =>
    types.map(line).filter(Boolean).join('\n')
  const shift: Record<ColumnType, number> = { i: 2, f: 3, s: 1, b: 0, d: 3 }
  const width: Record<ColumnType, number> = { i: 4, f: 8, s: 2, b: 1, d: 8 }
  const value: Record<ColumnType, (i: number) => string> = {
    i: i => `ints[p${i} + i]`,
    f: i => `floats[p${i} + i]`,
    s: i => `x${i}`,
    b: i => `bytes[p${i} + i] === 1`,
    d: i => `new Date(floats[p${i} + i])`,
  }
  const record =
    names === undefined
      ? value[types[0] as ColumnType](0)
      : `{ ${types.map((type, i) => `${JSON.stringify(names[i])}: ${value[type](i)}`).join(', ')} }`
  const body = `
    let ints, floats, shorts, bytes, heap = '', at = 0
    ${each((_, i) => `let p${i} = 0`)}
    return {
      open(i32, f64, u16, u8, offset, rows) {
        ints = i32; floats = f64; shorts = u16; bytes = u8
        let o = offset
        ${each((type, i) => `p${i} = o >> ${shift[type]}; o = (o + rows * ${width[type]} + 7) & ~7`)}
        return o
      },
      setHeap(text) { heap = text; at = 0 },
      rows(from, to, times, timestamp, sink) {
        let q = at
        const timed = times !== ${NO_TIMES}
        for (let i = from; i < to; i++) {
          ${each((type, i) =>
            type === 's'
              ? `const l${i} = shorts[p${i} + i], x${i} = heap.substring(q, q + l${i}); q += l${i}`
              : '',
          )}
          timestamp[0] = timed ? floats[times + i] : NaN
          sink(${record})
        }
        at = q
      },
    }`
  return generate([], body, [])
}
