import { expect, it } from 'vitest'
import { aggregateMetrics, selectMetrics, subtaskSelection } from './metric-query.ts'

it('lists ids, or the values that were asked for', () => {
  expect(selectMetrics({ a: '1', b: '2' }, {})).toEqual([{ id: 'a' }, { id: 'b' }])
  expect(selectMetrics({ a: '1', b: '2' }, { get: ['b,c', 'a'] })).toEqual([
    { id: 'b', value: '2' },
    { id: 'a', value: '1' },
  ])
})

it('aggregates numbers', () => {
  const each: Record<string, string>[] = [{ n: '1', text: 'x' }, { n: '3' }]
  expect(aggregateMetrics(each, { get: 'n,text' })).toEqual([
    { id: 'n', min: 1, max: 3, avg: 2, sum: 4, skew: 50 },
  ])
  expect(aggregateMetrics(each, { get: 'n', agg: 'SUM' })).toEqual([{ id: 'n', sum: 4 }])
  const skewOf = (...values: number[]) =>
    (
      aggregateMetrics(
        values.map(n => ({ n: String(n) })),
        { get: 'n', agg: 'skew' },
      )[0] as { skew: number }
    ).skew
  expect([skewOf(5, 5, 5), skewOf(0, 0, 9), skewOf(0, 0), skewOf(7)]).toEqual([0, 100, 0, 0])
})

it('selects subtasks by numbers and ranges', () => {
  const selected = subtaskSelection({ subtasks: '0,2-4' })
  expect([0, 1, 2, 3, 4, 5].filter(index => selected?.(index))).toEqual([0, 2, 3, 4])
  expect(subtaskSelection({})).toBeUndefined()
  expect(() => subtaskSelection({ subtasks: '3-' })).toThrow(/ranges such as/)
})
