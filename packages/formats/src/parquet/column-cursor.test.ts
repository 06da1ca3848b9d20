import fc from 'fast-check'
import { parquetSchema } from 'hyparquet'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { describe, expect, it } from 'vitest'
import { ColumnCursor, type ColumnDecoder, canStream } from './column-cursor.ts'

type Value = bigint | string | number | null

interface ColumnSpec {
  readonly type: 'INT64' | 'BYTE_ARRAY' | 'DOUBLE'
  readonly optional: boolean
  readonly version: 1 | 2
  /** Plain pages if absent. */
  readonly dictionary: boolean
  readonly pages: readonly (readonly Value[])[]
}

/** Bytes of Thrift's compact protocol: a struct of i32 fields and structs, by field number. */
function thrift(fields: Readonly<Record<number, number | boolean | Buffer>>): Buffer {
  const bytes: number[] = []
  let last = 0
  for (const [id, value] of Object.entries(fields)) {
    const type = Buffer.isBuffer(value) ? 12 : value === true ? 1 : value === false ? 2 : 5
    bytes.push(((Number(id) - last) << 4) | type)
    last = Number(id)
    if (Buffer.isBuffer(value)) bytes.push(...value)
    else if (typeof value === 'number') bytes.push(...varInt(value * 2))
  }
  return Buffer.from([...bytes, 0])
}

function varInt(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}

/** Runs of equal values as such from 8 on, all else packed: the last group filled up. */
function hybrid(values: readonly number[], width: number): Buffer {
  const bytes: number[] = []
  let at = 0
  while (at < values.length) {
    let same = 1
    while (values[at + same] === values[at]) same++
    if (same >= 8) {
      bytes.push(...varInt(same << 1))
      for (let shift = 0; shift < width; shift += 8) bytes.push(((values[at] as number) >>> shift) & 255)
      at += same
      continue
    }
    const group = Array.from({ length: 8 }, (_, i) => values[at + i] ?? 0)
    bytes.push(...varInt((1 << 1) | 1))
    const bits = group
      .map(value => value.toString(2).padStart(width, '0').split('').reverse().join(''))
      .join('')
    for (let i = 0; i < bits.length; i += 8) {
      bytes.push(
        Number.parseInt(
          bits
            .slice(i, i + 8)
            .split('')
            .reverse()
            .join(''),
          2,
        ),
      )
    }
    at += 8
  }
  return Buffer.from(bytes)
}

function plain(values: readonly Value[], type: ColumnSpec['type']): Buffer {
  return Buffer.concat(
    values.map(value => {
      const bytes = Buffer.alloc(8)
      if (type === 'INT64') bytes.writeBigInt64LE(value as bigint)
      else if (type === 'DOUBLE') bytes.writeDoubleLE(value as number)
      else {
        const text = Buffer.from(value as string)
        bytes.writeUInt32LE(text.length)
        return Buffer.concat([bytes.subarray(0, 4), text])
      }
      return bytes
    }),
  )
}

function chunkOf({ type, optional, version, dictionary, pages }: ColumnSpec): ArrayBuffer {
  const parts: Buffer[] = []
  const entries = [...new Set(pages.flat().filter(value => value !== null))]
  if (dictionary) {
    const body = plain(entries, type)
    const header = thrift({ 1: 2, 2: body.length, 3: body.length, 7: thrift({ 1: entries.length, 2: 0 }) })
    parts.push(header, body)
  }
  for (const values of pages) {
    const present = values.filter(value => value !== null)
    const width = Math.max(1, Math.ceil(Math.log2(Math.max(2, entries.length))))
    const data = dictionary
      ? Buffer.concat([
          Buffer.from([width]),
          hybrid(
            present.map(value => entries.indexOf(value)),
            width,
          ),
        ])
      : plain(present, type)
    const levels = optional
      ? hybrid(
          values.map(value => (value === null ? 0 : 1)),
          1,
        )
      : Buffer.alloc(0)
    const encoding = dictionary ? 8 : 0
    if (version === 1) {
      const length = Buffer.alloc(optional ? 4 : 0)
      if (optional) length.writeUInt32LE(levels.length)
      const body = Buffer.concat([length, levels, data])
      const page = thrift({ 1: values.length, 2: encoding, 3: 3, 4: 3 })
      parts.push(thrift({ 1: 0, 2: body.length, 3: body.length, 5: page }), body)
    } else {
      const body = Buffer.concat([levels, data])
      const counts = { 1: values.length, 2: values.length - present.length, 3: values.length }
      const page = thrift({ ...counts, 4: encoding, 5: levels.length, 6: 0, 7: false })
      parts.push(thrift({ 1: 3, 2: body.length, 3: body.length, 8: page }), body)
    }
  }
  return new Uint8Array(Buffer.concat(parts)).buffer
}

function decoderOf({ type, optional }: Pick<ColumnSpec, 'type' | 'optional'>): ColumnDecoder {
  const root = parquetSchema({
    schema: [
      { name: 'root', num_children: 1 },
      {
        name: 'c',
        type,
        repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
        ...(type === 'BYTE_ARRAY' && { converted_type: 'UTF8' as const }),
      },
    ],
  })
  const [leaf] = root.children
  if (leaf === undefined) throw new Error('no column')
  return {
    pathInSchema: ['c'],
    type,
    element: leaf.element,
    schemaPath: [root, leaf],
    codec: 'UNCOMPRESSED',
    parsers: DEFAULT_PARSERS,
  }
}

const specs: fc.Arbitrary<ColumnSpec> = fc
  .record({
    type: fc.constantFrom('INT64' as const, 'BYTE_ARRAY' as const, 'DOUBLE' as const),
    optional: fc.boolean(),
    version: fc.constantFrom(1 as const, 2 as const),
    dictionary: fc.boolean(),
  })
  .chain(shape => {
    const value: fc.Arbitrary<Value> =
      shape.type === 'INT64'
        ? fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(-(2n ** 50n), 2n ** 50n))
        : shape.type === 'DOUBLE'
          ? fc.oneof(fc.constantFrom(0.5, 1.5), fc.double({ noNaN: true, noDefaultInfinity: true }))
          : fc.oneof(fc.constantFrom('a', 'b'), fc.string({ unit: 'binary' }))
    const cell = shape.optional ? fc.option(value, { freq: 4 }) : value
    const run = fc
      .tuple(cell, fc.integer({ min: 1, max: 30 }))
      .map(([one, count]) => new Array<Value>(count).fill(one))
    const page = fc.array(run, { maxLength: 12 }).map(runs => runs.flat())
    return fc.array(page, { minLength: 1, maxLength: 4 }).map(pages => ({ ...shape, pages }))
  })

describe('ColumnCursor', () => {
  it('reads what was written, whatever pages, nulls, encodings and pieces', () => {
    fc.assert(
      fc.property(specs, fc.integer({ min: 1, max: 50 }), (spec, piece) => {
        const expected = spec.pages.flat().map(value => (typeof value === 'bigint' ? Number(value) : value))
        fc.pre(expected.length > 0)
        const cursor = new ColumnCursor(chunkOf(spec), decoderOf(spec), Number)
        const got: unknown[] = []
        while (got.length < expected.length) {
          const count = Math.min(piece, expected.length - got.length)
          cursor.read(count)
          got.push(...cursor.values.slice(0, count))
        }
        expect(got).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it.each([true, false])('names the row of an integer that is too large, dictionary: %s', dictionary => {
    const pages = [
      [1n, 2n, 3n],
      [1n, null, 2n ** 60n],
    ]
    const spec: ColumnSpec = { type: 'INT64', optional: true, version: 1, dictionary, pages }
    const refused: [bigint, number][] = []
    const cursor = new ColumnCursor(chunkOf(spec), decoderOf(spec), (value, row) => {
      if (value > 2n ** 53n) refused.push([value, row])
      return Number(value)
    })
    for (let row = 0; row < 6; row++) cursor.read(1)
    expect(refused).toEqual([[2n ** 60n, 5]])
  })

  it('does not invent values where pages or columns end early', () => {
    const spec: ColumnSpec = {
      type: 'INT64',
      optional: true,
      version: 1,
      dictionary: true,
      pages: [[1n, 2n, 3n]],
    }
    const chunk = chunkOf(spec)
    expect(() => new ColumnCursor(chunk, decoderOf(spec), Number).read(4)).toThrow('too few rows')
    const bytes = new Uint8Array(chunk)
    // The last byte holds the packed positions in the dictionary: 0, 1, 2.
    bytes[bytes.length - 2] = 0xff
    expect(() => new ColumnCursor(bytes.buffer, decoderOf(spec), Number).read(3)).toThrow(
      'a dictionary of 3 values',
    )
  })

  it('leaves lists and rare encodings to others', () => {
    const decoder = decoderOf({ type: 'INT64', optional: true })
    expect(canStream(decoder, ['PLAIN', 'RLE', 'RLE_DICTIONARY'])).toBe(true)
    expect(canStream(decoder, ['DELTA_BINARY_PACKED'])).toBe(false)
    expect(canStream({ ...decoder, type: 'BOOLEAN' }, ['PLAIN'])).toBe(false)
    const [root, leaf] = decoder.schemaPath
    if (root === undefined || leaf === undefined) throw new Error('no column')
    const element = { ...leaf.element, repetition_type: 'REPEATED' as const }
    expect(canStream({ ...decoder, schemaPath: [root, { ...leaf, element }] }, ['PLAIN'])).toBe(false)
    expect(canStream({ ...decoder, schemaPath: [root, leaf, leaf] }, ['PLAIN'])).toBe(false)
  })
})
