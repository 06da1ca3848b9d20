import { nullLogger } from '@flink-ts/common'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DataGeneratorSource } from './data-generator-source.ts'
import { RateLimiterStrategy } from './rate-limiter.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function readers(rate: RateLimiterStrategy, parallelism: number) {
  const source = new DataGeneratorSource({ generator: i => i, rate })
  const records: number[] = []
  const woken = new Set<number>()
  const all = Array.from({ length: parallelism }, (_, subtaskIndex) => {
    const reader = source.createReader({
      ...{ subtaskIndex, parallelism, fail: () => {}, sendSplitRequest: () => {}, sendSourceEvent: () => {} },
      wake: () => void woken.add(subtaskIndex),
      logger: nullLogger,
    })
    void reader.open?.() // synchronous
    reader.addSplits(source.enumerateSplits(parallelism).filter((_split, i) => i === subtaskIndex))
    return reader
  })
  const poll = (): number => {
    const before = records.length
    for (const reader of all)
      while (reader.poll(1000, { collect: value => void records.push(value) }) === 'more') {
        // until it waits
      }
    return records.length - before
  }
  return { all, records, woken, poll }
}

test('perSecond holds for all subtasks together, and wakes each when it may go on', () => {
  const { poll, woken } = readers(RateLimiterStrategy.perSecond(100), 4)
  expect(poll()).toBe(0)
  vi.advanceTimersByTime(39)
  expect(woken.size).toBe(0)
  vi.advanceTimersByTime(1)
  expect(woken.size).toBe(4)
  expect(poll()).toBe(4)
  vi.advanceTimersByTime(1000)
  expect(poll()).toBe(100)
})

test('perCheckpoint gives so many, and so many more after each checkpoint', () => {
  const { all, records, woken, poll } = readers(RateLimiterStrategy.perCheckpoint(10), 3)
  expect(poll()).toBe(10)
  vi.advanceTimersByTime(100_000)
  expect(poll()).toBe(0)
  for (const reader of all) void reader.notifyCheckpointComplete?.(1) // synchronous
  expect(woken.size).toBe(3)
  expect(poll()).toBe(10)
  expect(new Set(records).size).toBe(20)
})

test('a rate that is none is refused', () => {
  for (const rate of [0, -1, Number.NaN, Infinity]) {
    expect(() => RateLimiterStrategy.perSecond(rate)).toThrowError(/perSecond/)
    expect(() => RateLimiterStrategy.perCheckpoint(rate)).toThrowError(/perCheckpoint/)
  }
  expect(() => RateLimiterStrategy.perCheckpoint(1.5)).toThrowError(/whole/)
  const rate = RateLimiterStrategy.noLimit()
  expect(() => new DataGeneratorSource({ generator: i => i, rate, ratePerSecond: 1 })).toThrowError(
    /one of them/,
  )
})
