import { type Logger, ManualClock, nullLogger } from '@flink-ts/common'
import { MAX_WATERMARK, MIN_WATERMARK } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { EventTimeWatch } from './event-time-watch.ts'

function watch() {
  const logged: [string, Record<string, unknown>][] = []
  const keep = (fields: Record<string, unknown>, message: string) => logged.push([message, fields])
  const logger = { ...nullLogger, warn: keep, info: keep } as unknown as Logger
  const clock = new ManualClock()
  return { clock, logged, watch: new EventTimeWatch({ clock, logger }) }
}
const facts = { watermark: 1000, furthest: 70_000, heldBy: ['Source: orders (2/4)'], recordsIn: 10 }

test('says once who holds event time back and since when, and when it goes on', () => {
  const { clock, logged, watch: watched } = watch()
  watched.look(facts)
  const sinceMs = clock.now()
  clock.advance(29_999)
  expect(watched.look({ ...facts, recordsIn: 20 })).toEqual({
    watermark: 1000,
    sinceMs,
    heldBy: ['Source: orders (2/4)'],
  })
  expect(logged).toEqual([])
  clock.advance(1)
  watched.look({ ...facts, recordsIn: 20 })
  clock.advance(60_000)
  watched.look({ ...facts, recordsIn: 30 })
  expect(logged).toEqual([
    [
      'event time stands still: windows and timers cannot fire',
      {
        watermark: '1970-01-01T00:00:01.000Z',
        since: new Date(sinceMs).toISOString(),
        heldBy: ['Source: orders (2/4)'],
        heldByChannels: 1,
        furthestInput: '1970-01-01T00:01:10.000Z',
        recordsSince: 10,
        remedy: expect.stringContaining('withIdleness'),
      },
    ],
  ])
  watched.look({ ...facts, watermark: 2000, recordsIn: 40 })
  expect(logged[1]).toEqual(['event time goes on', { watermark: '1970-01-01T00:00:02.000Z' }])
})

test('a stream without any watermark is told what it lacks', () => {
  const { clock, logged, watch: watched } = watch()
  clock.advance(40_000)
  watched.look({ ...facts, watermark: MIN_WATERMARK, furthest: MIN_WATERMARK })
  expect(logged[0]?.[1]).toMatchObject({
    watermark: 'none',
    furthestInput: 'none',
    remedy: expect.stringMatching(/no watermark has come.*withTimestampAssigner/),
  })
})

test('silence is no stall, nor is the end of the input', () => {
  const { clock, logged, watch: watched } = watch()
  watched.look(facts)
  clock.advance(100_000)
  watched.look(facts)
  watched.look({ ...facts, watermark: MAX_WATERMARK })
  clock.advance(100_000)
  expect(watched.look({ ...facts, watermark: MAX_WATERMARK, recordsIn: 99 }).heldBy).toEqual([])
  expect(logged).toEqual([])
})
