import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalformedBytes, UnsupportedValue } from '../errors.ts'
import { type BatchDecoder, type BatchEncoder, MAX_BATCH_RECORDS } from './batch-codec.ts'
import { createBatchDecoder } from './batch-decoder.ts'
import { createBatchEncoder } from './batch-encoder.ts'
import { anyValue, same } from './testdata/any-value.mjs'

interface Item {
  readonly value: unknown
  readonly timestamp: number
}

class Codec {
  readonly encoder: BatchEncoder = createBatchEncoder()
  readonly decoder: BatchDecoder = createBatchDecoder()
  sizeBytes = 0

  /** Through bytes and back, in slices of `max`; also checks bound, counts and that nothing writes beyond the bound. */
  roundTrip(items: readonly Item[], max = 1000): Item[] {
    const out: Item[] = []
    for (let i = 0; i < items.length; ) {
      const from = i
      let full = false
      while (i < items.length && !full) {
        const item = items[i++] as Item
        full = this.encoder.append(item.value, item.timestamp)
      }
      expect(this.encoder.count).toBe(i - from)
      const bound = this.encoder.boundBytes
      const offset = 16
      const target = Buffer.from(new SharedArrayBuffer(offset + bound + 64)).fill(0xa5)
      this.sizeBytes = this.encoder.finish(target, offset)
      expect(this.sizeBytes).toBeLessThanOrEqual(bound)
      expect(target.subarray(offset + bound).every(byte => byte === 0xa5)).toBe(true)
      expect(this.encoder.count).toBe(0)
      const timestamp = new Float64Array(1)
      let left = this.decoder.open(target, offset, this.sizeBytes)
      expect(left).toBe(i - from)
      while (left > 0) {
        const before = out.length
        const remaining = this.decoder.next(max, timestamp, value => {
          out.push({ value, timestamp: timestamp[0] as number })
        })
        expect(out.length - before).toBe(Math.min(max, left))
        expect(remaining).toBe(left - (out.length - before))
        left = remaining
      }
    }
    return out
  }
}

function expectSame(actual: readonly Item[], expected: readonly Item[]): void {
  expect(actual.length).toBe(expected.length)
  for (const [i, item] of expected.entries()) {
    const other = actual[i] as Item
    if (!same(other.value, item.value) || !Object.is(other.timestamp, item.timestamp)) {
      expect({ at: i, ...other }).toEqual({ at: i, ...item })
      throw new Error(`record ${i} differs`)
    }
  }
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud83d', '\ude00', 'é', '漢字'),
)
const number = fc.oneof(
  fc.integer(),
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, 2 ** 31, -(2 ** 31), 0.5),
)
const scalar = fc.oneof(text, number, fc.boolean(), fc.date())
const flat = fc.oneof(
  fc.record({ word: text, count: number }),
  fc.record({ count: number, word: text }),
  fc.record({ id: number, at: fc.date(), ok: fc.boolean(), name: text }),
  fc.record({ id: number, at: fc.option(fc.date()), ok: fc.boolean(), name: text }),
  fc.record({ a: scalar, b: scalar }, { requiredKeys: ['a'] }),
  fc.dictionary(
    fc.oneof(text, fc.constantFrom('__proto__', "it's", 'a b', '\u2028', '*/', '0', 'constructor')),
    scalar,
    { maxKeys: 4, noNullPrototype: false },
  ),
)
const timestamp = fc.oneof(fc.constant(Number.NaN), fc.integer(), fc.double())
const items = (values: fc.Arbitrary<unknown>) =>
  fc.oneof(
    fc.array(fc.record({ value: values, timestamp }), { maxLength: 60 }),
    fc.array(fc.record({ value: values, timestamp: fc.constant(Number.NaN) }), { maxLength: 60 }),
  )

describe('batch codec', () => {
  test.each([
    ['records that nearly fit', items(flat)],
    ['any values', items(anyValue)],
    ['bare values', items(scalar)],
    ['strings', items(text)],
    ['numbers', items(number)],
    ['records of one shape', items(fc.record({ word: text, count: number, at: fc.date() }))],
    ['a mixture', items(fc.oneof(flat, flat, anyValue))],
  ])('%s come back the same, in any slices', (_, arbitrary) => {
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 4 }), fc.integer({ min: 1, max: 20 }), (batches, max) => {
        // One codec for several batches: schemas are carried over.
        const codec = new Codec()
        for (const batch of batches) expectSame(codec.roundTrip(batch, max), batch)
      }),
      { numRuns: 300 },
    )
  })

  const bid = (i: number) => ({
    auction: i,
    url: `https://example.com/item/${i}`,
    price: i * 2,
    at: new Date(i),
    hot: i % 2 === 0,
  })
  const timed = (values: readonly unknown[], at = Number.NaN): Item[] =>
    values.map(value => ({ value, timestamp: at }))

  test('flat records are columns, without a trace of field names for each', () => {
    const codec = new Codec()
    const batch = timed(Array.from({ length: 500 }, (_, i) => bid(i)))
    expectSame(codec.roundTrip(batch), batch)
    // 4 + 2 + 4 + 8 + 1 bytes and about 27 characters.
    expect(codec.sizeBytes / batch.length).toBeLessThan(48)
    expectSame(codec.roundTrip(timed([1, 2, 3])), timed([1, 2, 3]))
    expect(codec.sizeBytes).toBeLessThan(80)
  })

  test('an int column widens in mid batch; timestamps begin in mid batch', () => {
    const codec = new Codec()
    const batch = [
      ...timed([{ n: 1 }, { n: -2 }, { n: -0 }, { n: 0.5 }, { n: 3 }]),
      ...timed([{ n: 2 ** 40 }, { n: 7 }], 5),
    ]
    expectSame(codec.roundTrip(batch, 2), batch)
    expectSame(codec.roundTrip(batch, 3), batch)
  })

  test('what is no number is never asked for its number by a column of numbers', () => {
    const hostile = {
      valueOf() {
        throw new Error('user code was called')
      },
    }
    for (const other of [1n, Object.create(null), hostile, Symbol.iterator.toString()]) {
      const items = [7, other, { n: 7 }, { n: other }, 8].map(value => ({ value, timestamp: Number.NaN }))
      // Functions cannot be sent; the others come back.
      if (other === hostile) {
        expect(() => new Codec().roundTrip(items)).toThrow(/function/)
        continue
      }
      expect(new Codec().roundTrip(items)).toEqual(items)
    }
  })

  test('a batch takes 512 records, and is full earlier at its target size', () => {
    const encoder = createBatchEncoder()
    for (let i = 0; i < MAX_BATCH_RECORDS - 1; i++) expect(encoder.append(i, i)).toBe(false)
    expect(encoder.append(0, 0)).toBe(true)
    expect(() => encoder.append({ a: 1 }, 0)).toThrow(RangeError)
    const small = createBatchEncoder({ targetBytes: 1000 })
    let count = 1
    while (!small.append('x'.repeat(100), 0)) count++
    expect(count).toBeLessThanOrEqual(5)
    expect(small.boundBytes).toBeGreaterThanOrEqual(1000)
  })

  test('huge strings and records, surrogate pairs split over fields, many schemas', () => {
    const codec = new Codec()
    const batch = timed([
      { a: 'x'.repeat(65_535), b: 'y' },
      { a: 'x'.repeat(65_536), b: 'é'.repeat(70_000) },
      { a: '\ud83d', b: '\ude00' },
      { a: '\ude00', b: '\ud83d' },
      'z'.repeat(3_000_000),
      { big: new Uint8Array(500_000).fill(3) },
    ])
    expectSame(codec.roundTrip(batch), batch)
    const pair = timed([
      { a: '\ud83d', b: '\ude00' },
      { a: 'x', b: '漢' },
    ])
    expectSame(codec.roundTrip(pair), pair)
    for (let i = 0; i < 200; i++) {
      const odd = timed([{ [`f${i}`]: i }, { [`f${i}`]: 'x', g: [i] }, { [`g${i}`]: 1 }])
      expectSame(codec.roundTrip(odd), odd)
    }
  })

  test('columns follow the records when the shape changes for good', () => {
    const codec = new Codec()
    codec.roundTrip(timed(Array.from({ length: 10 }, (_, i) => ({ old: i }))))
    // The first record still has the old shape, the rest a new one: the next batch takes the new one.
    const mixed = timed([{ old: 1 }, ...Array.from({ length: 300 }, (_, i) => ({ id: i, word: 'w' }))])
    expectSame(codec.roundTrip(mixed), mixed)
    expectSame(codec.roundTrip(mixed), mixed)
    expect(codec.sizeBytes / 300).toBeLessThan(9)
  })

  test('a record that cannot be sent is refused and leaves the batch as it was', () => {
    const codec = new Codec()
    codec.encoder.append({ a: 1 }, 1)
    let error: unknown
    try {
      codec.encoder.append({ a: [() => 1] }, 2)
    } catch (thrown) {
      error = thrown
    }
    expect(UnsupportedValue.is(error)).toBe(true)
    expect(codec.encoder.count).toBe(1)
    codec.encoder.append([1], 2)
    const target = Buffer.alloc(4096)
    const size = codec.encoder.finish(target, 0)
    const out: unknown[] = []
    codec.decoder.open(target, 0, size)
    codec.decoder.next(10, new Float64Array(1), value => out.push(value))
    expect(out).toEqual([{ a: 1 }, [1]])
  })

  test('class instances come back as plain objects, and Date subclasses as Dates', () => {
    class Point {
      x = 1
    }
    class Day extends Date {}
    const out = new Codec().roundTrip(timed([{ x: 1 }, new Point(), { x: 2 }, { d: new Day(5) }]))
    expectSame(out, timed([{ x: 1 }, { x: 1 }, { x: 2 }, { d: new Date(5) }]))
  })

  test('a truncated batch is refused', () => {
    const encoder = createBatchEncoder()
    for (let i = 0; i < 10; i++) encoder.append({ word: 'abc', n: i }, i)
    const target = Buffer.alloc(encoder.boundBytes)
    const size = encoder.finish(target, 0)
    for (const cut of [32, 40, size - 60]) {
      let error: unknown
      try {
        createBatchDecoder().open(target, 0, cut)
      } catch (thrown) {
        error = thrown
      }
      expect(MalformedBytes.is(error)).toBe(true)
    }
  })
})
