import { canonicalKey } from '@flink-ts/serialization'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heapKey } from './heap-key.ts'

const element = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer(),
  fc.constantFrom(
    -0,
    0.5,
    Number.NaN,
    2 ** 31,
    -(2 ** 31),
    2 ** 31 - 1,
    65_535,
    65_536,
    true,
    1n,
    '',
    '1',
    '\0p',
  ),
)
const key = fc.oneof(
  element,
  fc.array(element, { maxLength: 3 }),
  fc.tuple(element, element),
  fc.string({ maxLength: 6 }).map(text => `\0p${text}`),
)

test('keys that are equal by their canonical text are equal here, and no others', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const equal = new Set([canonicalKey(one), canonicalKey(other)]).size === 1
      expect(new Set([heapKey(one), heapKey(other)]).size === 1).toBe(equal)
      expect(new Set([heapKey(one), heapKey(structuredClone(one))]).size).toBe(1)
    }),
    { numRuns: 2000 },
  )
})

test('what is no key is refused', () => {
  for (const wrong of [[1, undefined], [null, 1], [Symbol('key')], undefined]) {
    expect(() => heapKey(wrong)).toThrow(/key/)
  }
})
