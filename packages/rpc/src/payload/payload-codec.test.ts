import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePayload, encodePayload } from './payload-codec.ts'

const roundTrip = (value: unknown): unknown => decodePayload(encodePayload(value))

describe('payload codec', () => {
  test('keeps what JSON and plain msgpack change', () => {
    const value = {
      undefined: undefined,
      numbers: [NaN, -0, 0, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 0.1, 2 ** 32, -(2 ** 31) - 1],
      bigints: [5n, -5n, 2n ** 64n, 2n ** 200n],
      dates: [new Date(5), new Date(-1), new Date(NaN), new Date(8.64e15), new Date(1234567890123)],
      map: new Map<unknown, unknown>([
        [1, { a: -0 }],
        ['1', 2n],
        [{ k: undefined }, new Set([NaN, -0, 'x'])],
      ]),
      bytes: [new Uint8Array([1, 2]), Buffer.from('buffer'), new Float64Array([1.5, NaN]), new Uint8Array(0)],
      illFormed: ['\ud800', 'a\udc00b'],
      null: null,
      '\u0001': 'looks like a box',
      '\ud800key': 1,
      nested: { '\u0001': ['z'] },
    }
    const back = roundTrip(value) as typeof value
    expect(back).toStrictEqual(value)
    expect(back.dates[2]?.getTime()).toBeNaN()
  })

  test('keeps a key named __proto__ as data', () => {
    const back = roundTrip(JSON.parse('{"__proto__":{"polluted":true}}')) as object
    expect(Object.keys(back)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  test('round-trips any plain data', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      stringUnit: 'binary',
      maxDepth: 4,
    })
    fc.assert(
      fc.property(anything, value => {
        expect(roundTrip(value)).toStrictEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  test('result shares no memory with the bytes it came from', () => {
    const bytes = encodePayload({ data: Buffer.from([1, 2, 3]) })
    const back = decodePayload(bytes) as { data: Buffer }
    bytes.fill(0)
    expect([...back.data]).toEqual([1, 2, 3])
  })

  test.each([
    ['a function', { a: [1, () => 1] }, 'args.a[1] is a function'],
    ['a symbol', { a: Symbol('x') }, 'args.a is a symbol'],
    ['an instance', { a: new (class Job {})() }, 'args.a is an instance of Job'],
    ['an error', [new Error('x')], 'args[0] is an instance of Error'],
    ['a promise', [Promise.resolve(1)], 'args[0] is an instance of Promise'],
  ])('refuses %s, naming the place', (_, value, message) => {
    expect(() => encodePayload(value, 'args')).toThrow(message)
  })

  test('refuses a cycle', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(() => encodePayload(cycle)).toThrow('or a cycle')
  })
})
