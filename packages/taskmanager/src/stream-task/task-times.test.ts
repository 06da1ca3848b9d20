import { ManualClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { TaskTimes } from './task-times.ts'

test('time goes to what the task was doing: a step that finds work counts from its beginning', () => {
  const clock = new ManualClock()
  const times = new TaskTimes({ clock })
  clock.advance(5000)
  expect(times.totals()).toEqual({ busy: 0, idle: 0, backPressured: 0 })
  times.start()
  clock.advance(10)
  times.stepBegins()
  clock.advance(3)
  times.stepEnds('busy')
  // Another task of the thread has its turn, and this one has more to do.
  clock.advance(4)
  times.stepBegins()
  clock.advance(1)
  times.stepEnds('backPressured')
  clock.advance(100)
  times.stepBegins()
  times.stepEnds('idle')
  clock.advance(7)
  expect(times.totals()).toEqual({ busy: 8, idle: 17, backPressured: 100 })
})

test('rates are of the time between two looks, and add up to a second', () => {
  const clock = new ManualClock()
  const times = new TaskTimes({ clock })
  times.start()
  clock.advance(500)
  times.stepBegins()
  clock.advance(500)
  times.stepEnds('busy')
  expect(times.perSecond()).toEqual({ busy: 500, idle: 500, backPressured: 0 })
  clock.advance(100)
  // Too short to say anything.
  expect(times.perSecond()).toEqual({ busy: 500, idle: 500, backPressured: 0 })
  clock.advance(900)
  expect(times.perSecond()).toEqual({ busy: 1000, idle: 0, backPressured: 0 })
})
