import { expect, test } from 'vitest'
import { ManualClock } from './manual-clock.ts'

test('timers run in order of time, then of scheduling, also those scheduled meanwhile', () => {
  const clock = new ManualClock(1000)
  const seen: string[] = []
  clock.schedule(20, () => seen.push(`b@${clock.now()}`))
  clock.schedule(10, () => {
    seen.push(`a@${clock.now()}`)
    clock.schedule(10, () => seen.push(`c@${clock.now()}`))
  })
  clock.advance(19)
  expect(seen).toEqual(['a@1010'])
  clock.advance(1)
  expect(seen).toEqual(['a@1010', 'b@1020', 'c@1020'])
})

test('a periodic timer runs once a period until it is cancelled', () => {
  const clock = new ManualClock(0)
  const seen: number[] = []
  const timer = clock.scheduleEvery(50, () => seen.push(clock.now()))
  clock.advance(120)
  timer.cancel()
  timer.cancel()
  clock.advance(100)
  expect(seen).toEqual([50, 100])
  expect(clock.nextDueInMs()).toBeUndefined()
})
