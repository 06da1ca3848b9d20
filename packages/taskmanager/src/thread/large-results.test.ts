import { createValueSerializer } from '@flink-ts/serialization'
import { expect, test } from 'vitest'
import { splitResults } from './large-results.ts'

const decode = (parts: readonly Uint8Array[] | undefined): readonly unknown[] =>
  (parts ?? []).flatMap(part => createValueSerializer().decode(part) as unknown[])

test('large lists are encoded in parts of a few megabytes, everything else stays', () => {
  const list = Array.from({ length: 100_000 }, (_, i) => ({ i, text: 'x'.repeat(i % 150), not: Number.NaN }))
  const { accumulators, large } = splitResults({ list, few: [1, 2, 3], count: 7, empty: [] })
  expect(accumulators).toEqual({ few: [1, 2, 3], count: 7, empty: [] })
  expect(large.list?.length).toBeGreaterThan(1)
  for (const part of large.list ?? []) expect(part.length).toBeLessThan(8 * 1024 * 1024)
  expect(decode(large.list)).toEqual(list)
})

test('few but large elements count by their size', () => {
  const list = Array.from({ length: 3 }, () => 'x'.repeat(3_000_000))
  expect(decode(splitResults({ list }).large.list)).toEqual(list)
})

test('what cannot be encoded stays', () => {
  const list = Array.from({ length: 2000 }, () => ({ text: 'x'.repeat(2000), call: () => 1 }))
  expect(splitResults({ list })).toEqual({ accumulators: { list }, large: {} })
})
