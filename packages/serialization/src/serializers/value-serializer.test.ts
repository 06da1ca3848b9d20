import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyValue, same } from '../batch/testdata/any-value.mjs'
import { MalformedBytes, UnsupportedValue, ValueTooDeep } from '../errors.ts'
import { createValueSerializer } from './value-serializer.ts'

const serializer = createValueSerializer()
const roundTrip = (value: unknown) => serializer.decode(serializer.encode(value))

function failure(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('did not fail')
}

class Hidden {
  readonly #value = 1
  value() {
    return this.#value
  }
}

describe('value serializer', () => {
  test('any plain value round-trips exactly', () => {
    fc.assert(
      fc.property(anyValue, value => same(roundTrip(value), value)),
      { numRuns: 1500 },
    )
  })

  test.each([
    [undefined],
    [{ a: undefined }],
    [Number.NaN],
    [-0],
    [{ a: -0 }],
    [Object.assign(new Array(3), [-0], { 2: 1 })],
    [Infinity],
    [2 ** 31],
    [-(2 ** 31)],
    [new Date(Number.NaN)],
    [new Date(8.64e15)],
    [2n ** 64n],
    [-(2n ** 4000n)],
    [0n],
    ['\ud800'],
    [{ '\udc00': '\ud800' }],
    [JSON.parse('{"__proto__":{"x":1}}')],
    [Object.create(null)],
    ['é'.repeat(70_000)],
    ['x'.repeat(200_000)],
    [new Map<unknown, unknown>([[{ a: 1 }, new Set([new Map()])]])],
    [new Float64Array([1, Number.NaN])],
    [new BigInt64Array([5n])],
    [Buffer.from('abc')],
    [new Uint8Array(70_000).fill(7)],
    [new ArrayBuffer(3)],
    [new DataView(new ArrayBuffer(3))],
    [/a\/b/giu],
    [{ constructor: 1, hasOwnProperty: 2 }],
    [{ 2: 'b', 1: 'a', x: 1 }],
    [new Array(3)],
  ])('%o round-trips', value => {
    expect(same(roundTrip(value), value)).toBe(true)
  })

  test('a view is written without the rest of its buffer, and nothing shares memory', () => {
    const whole = new Uint8Array([1, 2, 3, 4])
    const bytes = serializer.encode(whole.subarray(1, 3))
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength)
    const back = serializer.decode(bytes) as Uint8Array
    bytes.fill(0)
    expect([...back]).toEqual([2, 3])
    expect(back.buffer.byteLength).toBe(2)
  })

  test('class instances become plain objects of their own fields; errors keep what they say', () => {
    class Point {
      readonly x = 1
      get double() {
        return this.x * 2
      }
    }
    expect(same(roundTrip(new Point()), { x: 1 })).toBe(true)
    expect(roundTrip(new (class Tick {})())).toEqual({})
    const error = new TypeError('no', { cause: { code: 5 } })
    const back = roundTrip({ error }) as { error: Error }
    expect(back.error).toBeInstanceOf(Error)
    expect([back.error.name, back.error.message, back.error.stack]).toEqual(['TypeError', 'no', error.stack])
    expect(back.error.cause).toEqual({ code: 5 })
  })

  test.each([
    [{ a: [0, () => 1] }, 'value.a[1] is a function'],
    [Symbol('x'), 'value is a symbol'],
    [new Map([['k', Promise.resolve()]]), 'value.k is a Promise'],
    [[new Number(1)], 'value[0] is a boxed primitive'],
    [{ link: new URL('http://host/') }, 'value.link is an instance of URL'],
    [[new Hidden()], 'value[0] is an instance of Hidden'],
    [{ 'a b': new WeakMap() }, 'value["a b"] is a weak reference'],
  ])('%o is refused with its path', (value, message) => {
    const error = failure(() => serializer.encode(value))
    expect(UnsupportedValue.is(error)).toBe(true)
    expect(error.message).toContain(message)
    expect(roundTrip([1, 'still works'])).toEqual([1, 'still works'])
  })

  test('a cycle is refused', () => {
    const cycle: { next?: unknown } = {}
    cycle.next = cycle
    expect(ValueTooDeep.is(failure(() => serializer.encode(cycle)))).toBe(true)
  })

  test('damaged bytes end in an error or another value, never in a crash', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (value, at, byte, cut) => {
        const bytes = serializer.encode(value)
        bytes[at % bytes.length] = byte
        const damaged = bytes.subarray(0, cut % (bytes.length + 1))
        try {
          serializer.decode(damaged)
        } catch (error) {
          if (!MalformedBytes.is(error) && !(error instanceof SyntaxError)) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })
})
