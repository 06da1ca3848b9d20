import { ManualClock, nullLogger, type OperatorId } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { sourceOperator } from '../builtin/source-operator.ts'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import type { Source } from '../source/source.ts'
import { WatermarkStrategy } from './watermark-strategy.ts'

/** Counts up by `step` with each poll, until `end`. */
function counting(step: number, end: number): Source<number, number> {
  return {
    boundedness: 'bounded',
    kind: 'counting',
    enumerateSplits: () => [0],
    createReader: () => {
      let at = 0
      return {
        addSplits() {},
        poll(_max, output) {
          if (at >= end) return 'end'
          at += step
          output.collect(at)
          return 'more'
        },
        snapshot: () => [at],
      }
    },
  }
}

/** A source with its coordinator, as in a job. */
async function running(
  options: { readonly step: number; readonly end: number; readonly jobId?: string; readonly id: string },
  strategy: WatermarkStrategy<number>,
  clock: ManualClock,
) {
  const factory = sourceOperator(counting(options.step, options.end), strategy)
  const harness = await new OperatorHarness(factory, { clock, autoWatermarkIntervalMs: 10 }).open()
  const coordinator = factory.coordinator?.create(
    {
      operatorId: options.id as OperatorId,
      ...{ operatorName: options.id, jobId: options.jobId ?? 'job', jobName: 'job', parallelism: 1 },
      restoredCheckpointId: undefined,
      sendEvent: (_subtask, event) => harness.operator.handleOperatorEvent?.(event),
      fail: error => harness.failures.push(error),
      logger: nullLogger,
    },
    undefined,
  )
  await coordinator?.start()
  return {
    harness,
    coordinator,
    /** Polls and delivers what goes to the coordinator. */
    poll(): string | undefined {
      const answer = harness.operator.source?.emit(10)
      for (const event of harness.operatorEvents.splice(0)) coordinator?.handleEvent(0, event)
      return answer
    },
    at: () => Math.max(0, ...harness.watermarks.filter(watermark => watermark < MAX_WATERMARK)),
  }
}

const strategy = WatermarkStrategy.forMonotonousTimestamps<number>()
  .withTimestampAssigner(value => value)
  .withIdleness(500)
  .withWatermarkAlignment('both', 100, 20)

test('the faster source waits for the slower one, goes on with it, and is free when that ends', async () => {
  const clock = new ManualClock()
  const fast = await running({ id: 'fast', step: 50, end: 5000 }, strategy, clock)
  const slow = await running({ id: 'slow', step: 2, end: 400 }, strategy, clock)
  let waits = 0
  let furthest = 0
  for (let round = 0; round < 600; round++) {
    if (fast.poll() === 'wait') waits++
    const answer = slow.poll()
    if (answer === 'more') furthest = Math.max(furthest, fast.at() - slow.at())
    clock.advance(10)
  }
  expect(waits).toBeGreaterThan(50)
  // The drift, and what is read between two reports.
  expect(furthest).toBeLessThanOrEqual(100 + 5 * 50)
  expect(slow.poll()).toBe('end')
  expect(fast.poll()).toBe('end')
  // To wait for another source is no idleness.
  expect(fast.harness.idleCalls).toBe(0)
  expect([...fast.harness.failures, ...slow.harness.failures]).toEqual([])
})

test('other groups and other jobs do not wait', async () => {
  const clock = new ManualClock()
  const one = await running({ id: 'one', step: 50, end: 5000, jobId: 'job 1' }, strategy, clock)
  const other = await running({ id: 'two', step: 2, end: 400, jobId: 'job 2' }, strategy, clock)
  const own = strategy.withWatermarkAlignment('another', 100, 20)
  const third = await running({ id: 'three', step: 2, end: 400, jobId: 'job 1' }, own, clock)
  for (let round = 0; round < 90; round++) {
    expect(one.poll()).toBe('more')
    other.poll()
    third.poll()
    clock.advance(10)
  }
})

test('a subtask that starts again, and a source that is gone, hold nobody', async () => {
  const clock = new ManualClock()
  const fast = await running({ id: 'fast', step: 50, end: 5000 }, strategy, clock)
  const slow = await running({ id: 'slow', step: 2, end: 400 }, strategy, clock)
  const rounds = (count: number): string[] => {
    const answers: string[] = []
    for (let round = 0; round < count; round++) {
      answers.push(fast.poll() ?? '')
      slow.poll()
      clock.advance(10)
    }
    return answers
  }
  expect(rounds(40)).toContain('wait')
  slow.coordinator?.subtaskReset(0, undefined)
  slow.harness.operatorEvents.length = 0
  fast.poll()
  clock.advance(20)
  fast.poll()
  expect(fast.poll()).toBe('more')
  rounds(20)
  expect(rounds(20)).toContain('wait')
  await slow.coordinator?.close?.()
  fast.poll()
  clock.advance(20)
  fast.poll()
  expect(fast.poll()).toBe('more')
})

test.each([
  ['no group', () => strategy.withWatermarkAlignment('', 1)],
  ['no drift', () => strategy.withWatermarkAlignment('g', 'much')],
  ['no interval', () => strategy.withWatermarkAlignment('g', 1, 0)],
])('%s is refused', (_what, call) => {
  expect(call).toThrow(/withWatermarkAlignment \((group|maxDrift|updateInterval)\)/)
})
