import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import type { KeyedProcessContext } from '../functions/functions.ts'
import { intervalJoinOperator } from './interval-join-operator.ts'
import { keyedCoProcessOperator } from './keyed-co-process-operator.ts'
import { goldenJoins, runScript, type ScriptOptions, type ScriptRecord } from './two-input-runs.ts'

// Oracle: what Apache Flink 1.20.5 answers to the same script.
const golden = goldenJoins()
const expected = (name: string): Readonly<Record<string, unknown>>[] => [
  ...(golden.jobs.find(job => job.name === name)?.output ?? []),
]
const keySelectors = [(v: ScriptRecord) => v.key, (v: ScriptRecord) => v.key] as const
const sorted = (rows: readonly unknown[]): string[] =>
  rows.map(row => JSON.stringify(Object.entries(row as object).sort())).sort()
const time = (ms: number): number | string =>
  ms === MAX_WATERMARK ? 'MAX' : ms === MIN_WATERMARK ? 'MIN' : ms

/** Once through at parallelism 1 and 4, and with a restore at each step, at the same and at another parallelism. */
const ways: ScriptOptions[] = [
  { parallelism: 1 },
  { parallelism: 4 },
  ...golden.input.flatMap((_, step) => [
    { parallelism: 1, restoreBefore: { step, parallelism: 1 } },
    { parallelism: 4, restoreBefore: { step, parallelism: 3 } },
    { parallelism: 1, restoreBefore: { step, parallelism: 4 } },
  ]),
]

describe('interval join', () => {
  const join = (lowerMs: number, upperMs: number): OperatorFactory =>
    intervalJoinOperator<ScriptRecord, ScriptRecord, string>({
      keySelectors,
      lowerMs,
      upperMs,
      join: (left, right) => ({ type: 'join', left: left.id, right: right.id }),
      lateTags: ['leftLate', 'rightLate'],
    })
  const run = async (factory: OperatorFactory, options: ScriptOptions) =>
    (await runScript(factory, golden.input, options)).map(({ tag, value, timestamp, watermark }) => {
      if (tag === undefined) return { ...(value as object), timestamp }
      const { id, key, ts } = value as ScriptRecord
      return { type: tag, id, key, watermark: time(watermark), timestamp: ts }
    })
  test.each([
    ['interval_-2s_+3s', -2000, 3000],
    ['interval_-2s_+3s_exclusive', -1999, 2999],
  ])('%s', async (name, lowerMs, upperMs) => {
    for (const way of ways) {
      expect(sorted(await run(join(lowerMs, upperMs), way)), JSON.stringify(way)).toEqual(
        sorted(expected(name)),
      )
    }
  })
})

describe('keyed co-process', () => {
  const element =
    (event: string) =>
    (value: ScriptRecord, context: KeyedProcessContext<string>, out: (value: unknown) => void): void => {
      const watermark = time(context.timerService.currentWatermark())
      out({ type: 'out', event, id: value.id, watermark })
      context.timerService.registerEventTimeTimer(value.ts + 1000)
    }
  const factory = keyedCoProcessOperator<string, ScriptRecord, ScriptRecord, unknown>(keySelectors, {
    processElement1: element('left'),
    processElement2: element('right'),
    onTimer: (timer, context, out) => {
      const watermark = time(context.timerService.currentWatermark())
      out({ type: 'out', event: 'timer', key: context.currentKey, timer, watermark })
    },
  })

  test('co_process_timers', async () => {
    for (const way of ways) {
      const output = await runScript(factory, golden.input, way)
      const rows = output.map(({ value, timestamp }) => ({ ...(value as object), timestamp }))
      // A restore repeats the watermark: timers that waited for the next one fire by it.
      const comparable = (row: Record<string, unknown>): Record<string, unknown> =>
        way.restoreBefore !== undefined && row['event'] === 'timer' ? { ...row, watermark: '*' } : row
      expect(sorted(rows.map(comparable)), JSON.stringify(way)).toEqual(
        sorted(expected('co_process_timers').map(comparable)),
      )
    }
  })

  test('the order is that of Flink, up to timers of the same time', async () => {
    const output = await runScript(factory, golden.input)
    const rows = output.map(({ value, timestamp }) => ({ ...(value as object), timestamp }))
    const order = (list: readonly Record<string, unknown>[]): unknown[] => {
      const ordered: unknown[] = []
      for (let i = 0; i < list.length; ) {
        let end = i + 1
        const row = list[i] as Record<string, unknown>
        while (row['event'] === 'timer' && list[end]?.['timer'] === row['timer']) end++
        ordered.push(sorted(list.slice(i, end)))
        i = end
      }
      return ordered
    }
    expect(order(rows)).toEqual(order(expected('co_process_timers')))
  })
})
