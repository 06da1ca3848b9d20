import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AccumulatorValue, accumulatorResult, mergeAccumulatorValues } from './accumulator-value.ts'

const merged = (values: readonly AccumulatorValue[]): AccumulatorValue =>
  values.reduce((left, right) => mergeAccumulatorValues(left, right))

describe('merging equals one accumulator that saw everything', () => {
  const parts = fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), { minLength: 1 })
  const of: Record<string, (numbers: readonly number[]) => AccumulatorValue> = {
    sum: numbers => numbers.reduce((a, b) => a + b, 0),
    list: numbers => numbers,
    minimum: numbers => ({ kind: 'minimum', value: Math.min(...numbers) }),
    maximum: numbers => ({ kind: 'maximum', value: Math.max(...numbers) }),
    average: numbers => ({ kind: 'average', count: numbers.length, sum: numbers.reduce((a, b) => a + b, 0) }),
    histogram: numbers => ({
      kind: 'histogram',
      counts: [...Map.groupBy(numbers, n => n)].map(([n, all]) => [n, all.length] as const),
    }),
  }
  test.each(Object.keys(of))('%s', kind => {
    fc.assert(
      fc.property(parts, numbers => {
        const make = of[kind] as (numbers: readonly number[]) => AccumulatorValue
        expect(accumulatorResult(merged(numbers.map(make)))).toEqual(accumulatorResult(make(numbers.flat())))
      }),
    )
  })
})

test('different kinds of one name are kept side by side', () => {
  expect(merged([1, ['x'], { kind: 'average', count: 2, sum: 3 }])).toEqual([1, 'x', 1.5])
})

test('an average of nothing is 0, a histogram is sorted', () => {
  expect(accumulatorResult({ kind: 'average', count: 0, sum: 0 })).toBe(0)
  const result = accumulatorResult({
    kind: 'histogram',
    counts: [
      [10, 1],
      [2, 3],
    ],
  })
  expect(Object.entries(result)).toEqual([
    ['2', 3],
    ['10', 1],
  ])
})

test('lists in the blob store stay there, with what is merged to them, in order', () => {
  const stored = (...blobKeys: string[]) => ({
    kind: 'stored' as const,
    parts: blobKeys.map(blobKey => ({ blobKey })),
  })
  const merged = mergeAccumulatorValues(mergeAccumulatorValues([1, 2], stored('a', 'b')), stored('c'))
  expect(merged).toEqual({
    kind: 'stored',
    parts: [{ values: [1, 2] }, { blobKey: 'a' }, { blobKey: 'b' }, { blobKey: 'c' }],
  })
  expect(accumulatorResult(mergeAccumulatorValues(merged, 3))).toMatchObject({
    parts: { length: 5, 4: { values: [3] } },
  })
})
