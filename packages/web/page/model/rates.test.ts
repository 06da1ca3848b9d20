import { expect, it } from 'vitest'
import type { IoMetrics } from '../api/shapes.ts'
import { ratesBetween } from './rates.ts'

const metrics = (records: number, busy: number, idle: number, backPressured: number): IoMetrics => ({
  ...{ 'read-records': records, 'write-records': 2 * records, 'read-bytes': 10 * records, 'write-bytes': 0 },
  'accumulated-busy-time': busy,
  'accumulated-idle-time': idle,
  'accumulated-backpressured-time': backPressured,
})

it('rates are what grew by second, and shares of all time', () => {
  const before = { at: 1000, metrics: metrics(100, 0, 0, 0) }
  expect(ratesBetween(before, { at: 3000, metrics: metrics(300, 1000, 2000, 1000) })).toEqual({
    ...{ recordsInPerSecond: 100, recordsOutPerSecond: 200, bytesInPerSecond: 1000, bytesOutPerSecond: 0 },
    ...{ busy: 0.25, idle: 0.5, backPressured: 0.25 },
  })
  expect(ratesBetween(before, { at: 3000, metrics: metrics(100, 0, 0, 0) })).toMatchObject({
    busy: 0,
    idle: 0,
  })
})

it('there are none where tasks started again, or no time passed', () => {
  const before = { at: 1000, metrics: metrics(100, 50, 50, 50) }
  expect(ratesBetween(before, { at: 2000, metrics: metrics(20, 5, 5, 5) })).toBe(undefined)
  expect(ratesBetween(before, { at: 1000, metrics: metrics(100, 50, 50, 50) })).toBe(undefined)
})
