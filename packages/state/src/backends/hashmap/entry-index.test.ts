import { canonicalKey } from '@flink-ts/serialization'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EntryIndex } from './entry-index.ts'
import { generateHeapEntry, type HeapEntry } from './heap-entry.ts'
import { sameKey, tagOf } from './key-tag.ts'

const Entry = generateHeapEntry<number>()
const newEntry = (key: unknown): HeapEntry<number> => new Entry(key, 0, 0)

function add(index: EntryIndex<number>, key: unknown): HeapEntry<number> {
  const entry = newEntry(key)
  index.add(entry, tagOf(key))
  return entry
}

const element = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0, -0, Number.NaN, 0.5, 2 ** 31, -(2 ** 31), 2 ** 40, Infinity),
  fc.constantFrom('', '0', '1', '\0', 'é', '\ud800'),
  fc.constantFrom(true, false, 0n, 1n, -(2n ** 70n), new Date(0), new Date(1)),
)
const anyKey = fc.oneof(
  element,
  fc.array(element, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b'), element, { maxKeys: 2 }),
)

test('keys are the same exactly if they are canonically, and have the same tag then', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (one, other) => {
      const equal = Object.is(canonicalKey(one), canonicalKey(other))
      expect(sameKey(one, other)).toBe(equal)
      if (equal) expect(tagOf(one)).toBe(tagOf(other))
      const copy = structuredClone(one)
      expect(sameKey(one, copy)).toBe(true)
      expect(tagOf(copy)).toBe(tagOf(one))
      expect(tagOf(one) | 0).toBe(tagOf(one))
      expect(tagOf(one)).not.toBe(0)
    }),
    { numRuns: 1000 },
  )
})

test('what is no key has no tag', () => {
  for (const wrong of [
    undefined,
    null,
    Symbol('s'),
    () => 1,
    new Map(),
    [null],
    [[1]],
    [{}],
    { a: [1] },
    new Date(Number.NaN),
  ]) {
    expect(() => tagOf(wrong)).toThrow(/key/)
  }
})

test('pairs and keys of some distance do not share their tags', () => {
  const tags = new Set<number>()
  for (let a = 0; a < 200; a++) for (let b = 0; b < 200; b++) tags.add(tagOf([a, b]))
  for (let a = 0; a < 200; a++) for (let b = 0; b < 200; b++) tags.add(tagOf([`channel-${a}`, b << 16]))
  // Of 80,000 random ones under one would be expected to be lost.
  expect(tags.size).toBeGreaterThan(79_900)
})

test.each([
  ['keys of any kind', anyKey, 60],
  ['many integers', fc.integer({ min: -100, max: 100 }).map(i => i << 16), 300],
  ['pairs', fc.tuple(fc.nat({ max: 20 }), fc.constantFrom('a', 'b', 'c')), 300],
])('behaves as a Map by canonical keys: %s', (_, key, most) => {
  const step = fc.record({ key: key as fc.Arbitrary<unknown>, remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: most, size: 'max' }), steps => {
      const index = new EntryIndex<number>()
      const model = new Map<unknown, HeapEntry<number>>()
      for (const { key, remove } of steps) {
        const canonical = canonicalKey(key)
        expect(index.find(key)).toBe(model.get(canonical))
        if (remove) expect(index.delete(key)).toBe(model.delete(canonical))
        else if (!model.has(canonical)) model.set(canonical, add(index, key))
        expect(index.size).toBe(model.size)
      }
      for (const entry of model.values()) expect(index.find(structuredClone(entry.key))).toBe(entry)
      expect(new Set(index.values())).toEqual(new Set(model.values()))
      expect([...index.values()]).toHaveLength(model.size)
    }),
    { numRuns: 60 },
  )
})

test('large ones are segments in which every key is found, at any distance of keys', () => {
  for (const step of [1, 4096, 1 << 20]) {
    const index = new EntryIndex<number>()
    const keys = Array.from(
      { length: 40_000 },
      (_, i) => Math.imul(i, step) + Math.floor(i / (2 ** 32 / step)),
    )
    for (const key of keys) add(index, key)
    expect(index.arrays().length).toBeGreaterThan(3)
    expect(keys.every(key => index.find(key)?.key === key)).toBe(true)
    expect(index.find(-1)).toBeUndefined()
    expect(new Set(index.values()).size).toBe(keys.length)
    expect(keys.slice(0, 30_000).every(key => index.delete(key))).toBe(true)
    expect(index.size).toBe(10_000)
    expect(keys.slice(30_000).every(key => index.find(key)?.key === key)).toBe(true)
    // Room is made of the places of what was removed.
    for (const key of keys.slice(0, 30_000)) add(index, key)
    expect(index.size).toBe(40_000)
    expect(keys.every(key => index.find(key)?.key === key)).toBe(true)
  }
})

test('room that was made before is used, however many come', () => {
  for (const [reserved, come] of [
    [0, 20],
    [9, 100],
    [16_384, 16_384],
    [40_000, 40_000],
    [100_000, 10],
    [20_000, 90_000],
  ] as const) {
    const index = new EntryIndex<number>()
    index.reserve(reserved)
    const before = index.arrays()
    for (let key = 0; key < come; key++) add(index, key)
    expect(index.size).toBe(come)
    expect(new Set(index.values()).size).toBe(come)
    for (let key = 0; key < come; key++)
      if (index.find(key)?.key !== key) throw new Error(`${key} is missing`)
    // Nothing was moved.
    if (come === reserved) expect(index.arrays().every((entries, i) => entries === before[i])).toBe(true)
  }
})

test('entries come in the order in which they were added, also after others were removed', () => {
  const index = new EntryIndex<number>()
  for (let key = 0; key < 9000; key++) {
    add(index, `k${key}`)
    if (key % 3 === 0) index.delete(`k${key}`)
  }
  const keys = Array.from({ length: 9000 }, (_, key) => key).filter(key => key % 3 !== 0)
  expect([...index.values()].map(entry => entry.key)).toEqual(keys.map(key => `k${key}`))
})

test('keys that share a tag are kept, though they cannot be divided', () => {
  const index = new EntryIndex<number>()
  for (let key = 0; key < 300; key++) index.add(newEntry(`k${key}`), 42)
  expect(index.size).toBe(300)
  expect(new Set(index.values()).size).toBe(300)
})

test('going through it survives what happens meanwhile: each that stays once, none after it was removed', () => {
  for (const count of [6, 20, 20_000]) {
    const index = new EntryIndex<number>()
    const stay = new Set(Array.from({ length: count }, (_, i) => add(index, `stays-${i}`)))
    for (let i = 0; i < count; i++) add(index, `goes-${i}`)
    const seen: HeapEntry<number>[] = []
    let removed = false
    for (const entry of index.values()) {
      if (removed && String(entry.key).startsWith('goes')) throw new Error(`removed: ${String(entry.key)}`)
      seen.push(entry)
      if (seen.length !== 3) continue
      for (let i = 0; i < count; i++) index.delete(`goes-${i}`)
      for (let i = 0; i < 3 * count; i++) add(index, `more-${i}`)
      removed = true
    }
    expect(new Set(seen).size).toBe(seen.length)
    const all = new Set(seen)
    expect([...stay].every(entry => all.has(entry))).toBe(true)
  }
})

test('arrays taken before go on to hold all entries of that moment', () => {
  for (const count of [5, 30, 17_000]) {
    const index = new EntryIndex<number>()
    const before = Array.from({ length: count }, (_, i) => add(index, i))
    const frozen = index.arrays()
    index.delete(0)
    for (let i = count; i < 4 * count; i++) add(index, i)
    const seen = new Set(frozen.flat())
    expect(before.slice(1).every(entry => seen.has(entry))).toBe(true)
  }
})
