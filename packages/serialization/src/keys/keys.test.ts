import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidKey } from '../errors.ts'
import { canonicalKey } from './canonical-key.ts'
import { keyGroupOf, keyGroupRangeOf, subtaskOfKeyGroup } from './key-group.ts'
import { hashKey } from './key-hash.ts'

interface Golden {
  ranges: { maxParallelism: number; parallelism: number; subtasks: [number, number][] }[]
  keys: {
    type: 'int' | 'long' | 'string' | 'boolean'
    key: string | number | boolean
    murmurHash: number
    keyGroup128: number
    keyGroup32768: number
    subtaskForParallelism1to5: number[]
  }[]
}
const golden = JSON.parse(
  readFileSync(new URL('./testdata/key-groups.json', import.meta.url), 'utf8'),
) as Golden

const element = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
)
const anyKey = fc.oneof(
  element,
  fc.array(element, { maxLength: 4 }),
  fc.dictionary(fc.string({ unit: 'binary' }), element, { maxKeys: 4 }),
  // Near misses: texts that look like what composite keys become.
  fc.constantFrom(
    '\0',
    '\0s',
    '\0t',
    '\0o',
    '\0d0;',
    '\0tn1;',
    '\0s\0tn1;',
    [],
    {},
    [1],
    ['1'],
    new Date(0),
    [''],
    ['a', 'b'],
    ['ab'],
  ),
)

/** Equality of keys by definition, independent of the implementation. */
function sameKey(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (a instanceof Date || b instanceof Date) return false
  if (typeof a !== 'object' || typeof b !== 'object') return a === b || (Number.isNaN(a) && Number.isNaN(b))
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  const names = Object.keys(x)
  return (
    names.length === Object.keys(y).length && names.every(n => Object.hasOwn(y, n) && sameKey(x[n], y[n]))
  )
}

describe('hashKey', () => {
  test.each(golden.keys)('$type $key is as in Flink', entry => {
    // Longs within int32 are of the same kind as ints here; their low half hashes differently only when negative.
    const value = entry.type === 'long' ? BigInt(entry.key as string) : entry.key
    expect(hashKey(value)).toBe(entry.murmurHash)
    expect(keyGroupOf(value, 128)).toBe(entry.keyGroup128)
    expect(keyGroupOf(value, 32768)).toBe(entry.keyGroup32768)
    const subtasks = [1, 2, 3, 4, 5].map(p => subtaskOfKeyGroup(128, p, entry.keyGroup128))
    expect(subtasks).toEqual(entry.subtaskForParallelism1to5)
  })

  test('safe integers beyond int32 hash as Java longs', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), n => {
        if ((n | 0) !== n) expect(hashKey(n)).toBe(hashKey(BigInt(n)))
      }),
    )
    expect(hashKey(new Date(1234567890123))).toBe(hashKey(1234567890123n))
  })

  test('pinned values of our own definitions', () => {
    // A stored format: a change here moves keys to other subtasks on restore.
    const pinned = [
      0.5,
      -1.5,
      Number.NaN,
      Infinity,
      2 ** 60,
      2n ** 64n,
      -(2n ** 100n),
      [],
      [1, 'a'],
      {},
      { a: 1, b: true },
      [new Date(5), 7n],
    ]
    expect(pinned.map(hashKey)).toMatchInlineSnapshot(`
      [
        241279884,
        1688987191,
        1585394089,
        663429370,
        1208702970,
        366133005,
        1588445187,
        1343918321,
        1037510716,
        1037846502,
        1577423940,
        971322271,
      ]
    `)
  })

  test('is a non-negative int, the same for equal keys', () => {
    fc.assert(
      fc.property(anyKey, key => {
        const hash = hashKey(key)
        expect(hash >= 0 && (hash | 0) === hash).toBe(true)
        expect(hashKey(structuredClone(key))).toBe(hash)
      }),
    )
    expect(hashKey(-0)).toBe(hashKey(0))
    expect(hashKey({ b: 1, a: 2 })).toBe(hashKey({ a: 2, b: 1 }))
  })
})

describe('canonicalKey', () => {
  test('is equal exactly for equal keys', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const map = new Map([[canonicalKey(a), 1]])
        expect(map.has(canonicalKey(b))).toBe(sameKey(a, b))
        expect(map.has(canonicalKey(structuredClone(a)))).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('-0 equals 0, NaN equals NaN, the order of fields does not matter', () => {
    expect(Object.is(canonicalKey(-0), 0)).toBe(true)
    expect(new Map([[canonicalKey(Number.NaN), 1]]).has(canonicalKey(0 / 0))).toBe(true)
    expect(canonicalKey([-0])).toBe(canonicalKey([0]))
    expect(canonicalKey({ b: 1, a: 2 })).toBe(canonicalKey({ a: 2, b: 1 }))
  })

  class Point {
    x = 1
  }
  test.each([
    [null, 'it is null'],
    [undefined, 'it is undefined'],
    [Symbol('s'), 'it is a symbol'],
    [() => 1, 'it is a function'],
    [new Date(Number.NaN), 'it is a Date without a valid time'],
    [new Point(), 'it is an instance of Point'],
    [new Map(), 'it is an instance of Map'],
    [new Uint8Array(2), 'it is an instance of Uint8Array'],
    [[1, null], 'its element 1 is null'],
    [[[1]], 'its element 0 is an array'],
    [new Array(1), 'its element 0 is undefined'],
    [{ a: { b: 1 } }, 'its field "a" is an object'],
    [{ a: undefined }, 'its field "a" is undefined'],
  ])('%o is refused: %s', (key, reason) => {
    for (const use of [hashKey, canonicalKey]) {
      let error: unknown
      try {
        use(key)
      } catch (thrown) {
        error = thrown
      }
      expect(InvalidKey.is(error)).toBe(true)
      expect((error as Error).message).toContain(`cannot be a key: ${reason}. Keys are strings`)
    }
  })
})

describe('key groups', () => {
  test.each(golden.ranges)('ranges of $maxParallelism over $parallelism are as in Flink', entry => {
    const ranges = entry.subtasks.map((_, i) => keyGroupRangeOf(entry.maxParallelism, entry.parallelism, i))
    expect(ranges).toEqual(entry.subtasks.map(([start, end]) => ({ start, end })))
  })

  test('every key group lies in the range of its subtask', () => {
    const sizes = fc
      .integer({ min: 1, max: 1024 })
      .chain(max => fc.tuple(fc.constant(max), fc.integer({ min: 1, max })))
    fc.assert(
      fc.property(sizes, ([max, parallelism]) => {
        for (let group = 0; group < max; group++) {
          const { start, end } = keyGroupRangeOf(max, parallelism, subtaskOfKeyGroup(max, parallelism, group))
          if (group < start || group > end) throw new Error(`${group} is not in ${start} to ${end}`)
        }
      }),
    )
  })
})
