import { hashKey } from '@flink-ts/serialization'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { generateHeapEntry, type HeapEntry } from './heap-entry.ts'
import { SegmentedMap } from './segmented-map.ts'

const Entry = generateHeapEntry<number>()

test('behaves as one Map while its segments are divided', { timeout: 30_000 }, () => {
  const operation = fc.record({ key: fc.nat({ max: 200 }), remove: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 600, size: 'max' }),
      fc.integer({ min: 1, max: 20 }),
      (ops, limit) => {
        const map = new SegmentedMap<number>(new Map(), limit)
        const model = new Map<number, HeapEntry<number>>()
        for (const { key, remove } of ops) {
          const entry = new Entry(key, key, 0)
          if (remove) {
            map.delete(key, hashKey(key))
            model.delete(key)
          } else if (!model.has(key)) {
            expect(map.add(key, entry)).toBe(true)
            model.set(key, entry)
          }
          expect(map.get(key, hashKey(key))).toBe(model.get(key))
        }
        for (let key = 0; key <= 200; key++) expect(map.get(key, hashKey(key))).toBe(model.get(key))
        const values = [...map.values()]
        expect(new Set(values)).toEqual(new Set(model.values()))
        expect(values).toHaveLength(model.size)
        expect(new Set(map.maps().flatMap(m => [...m.values()]))).toEqual(new Set(model.values()))
      },
    ),
  )
})

test('maps taken before go on to hold all entries of that moment', { timeout: 30_000 }, () => {
  const map = new SegmentedMap<number>(new Map(), 8)
  const before: HeapEntry<number>[] = []
  const add = (key: number): HeapEntry<number> => {
    const entry = new Entry(key, key, 0)
    map.add(key, entry)
    return entry
  }
  for (let key = 0; key < 21; key++) before.push(add(key))
  const frozen = map.maps()
  for (let key = 21; key < 1000; key++) add(key)
  const seen = new Set(frozen.flatMap(m => [...m.values()]))
  for (const entry of before) expect(seen.has(entry)).toBe(true)
})

test('keys with equal hashes are kept, though they can not be divided', () => {
  // Both halves have the same hash code in Java's string hash, and so has every combination.
  let keys = ['']
  for (let i = 0; i < 9; i++) keys = keys.flatMap(k => [`${k}Aa`, `${k}BB`])
  expect(new Set(keys.map(hashKey)).size).toBe(1)
  const map = new SegmentedMap<string>(new Map(), 4)
  const TextEntry = generateHeapEntry<string>()
  for (const key of keys) map.add(key, new TextEntry(key, key, 0))
  for (const key of keys) expect(map.get(key, hashKey(key))?.value).toBe(key)
  expect([...map.values()]).toHaveLength(keys.length)
})

test('an entry is added once only', () => {
  const map = new SegmentedMap<number>(new Map(), 4)
  for (let key = 0; key < 7; key++) map.add(key, new Entry(key, key, 0))
  for (let key = 0; key < 7; key++) expect(map.add(key, new Entry(key, key, 0))).toBe(false)
})

test.each([20_000, 40_000, 3_000_000])('one that was reserved for %i keys behaves as one that grew', keys => {
  const reserved = SegmentedMap.reserved<number>(keys)
  if (keys === 20_000) {
    expect(reserved).toBeUndefined()
    return
  }
  const map = reserved as SegmentedMap<number>
  const model = new Map<number, HeapEntry<number>>()
  for (let key = -500; key < 500; key++) {
    const entry = new Entry(key, key, 0)
    model.set(key, entry)
    expect(map.add(key, entry)).toBe(true)
    expect(map.add(key, entry)).toBe(false)
  }
  for (let key = -500; key < 0; key++) {
    map.delete(key, hashKey(key))
    model.delete(key)
  }
  for (let key = -600; key < 600; key++) expect(map.get(key, hashKey(key))).toBe(model.get(key))
  expect(new Set(map.values())).toEqual(new Set(model.values()))
  expect(new Set(map.maps().flatMap(m => [...m.values()]))).toEqual(new Set(model.values()))
})

test('one that was reserved for too few keys is divided further', () => {
  const map = SegmentedMap.reserved<number>(8, 8) as SegmentedMap<number>
  expect(map.maps()).toHaveLength(64)
  for (let key = 0; key < 2000; key++) map.add(key, new Entry(key, key, 0))
  expect(map.maps().length).toBeGreaterThan(1000)
  for (let key = 0; key < 2000; key++) expect(map.get(key, hashKey(key))?.key).toBe(key)
})
