import { ManualClock } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { RateWindow } from './rate-window.ts'

const counts = (recordsIn: number) => ({ recordsIn, recordsOut: 0, bytesIn: 0, bytesOut: 0 })

it('says how fast counters grew over the last minute', () => {
  const clock = new ManualClock(0)
  const window = new RateWindow(counts(0), { clock })
  expect(window.rates(counts(5))).toEqual(counts(0))
  let records = 0
  const second = (count: number) => {
    clock.advance(1000)
    records += count
    return window.rates(counts(records)).recordsIn
  }
  expect(second(100)).toBe(100)
  expect(second(0)).toBe(50)
  for (let i = 0; i < 58; i++) second(100)
  expect(second(100)).toBeCloseTo((records - 100) / 60)
  for (let i = 0; i < 60; i++) second(7)
  expect(second(7)).toBeCloseTo(7)
})
