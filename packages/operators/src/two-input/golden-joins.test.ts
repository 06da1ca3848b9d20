import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import type { KeyedProcessContext } from '../functions/functions.ts'
import { SlidingEventTimeWindows } from '../windowing/assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from '../windowing/assigners/tumbling-windows.ts'
import { TimeWindow } from '../windowing/time-window.ts'
import type { WindowFunction } from '../windowing/window-functions.ts'
import { coGroupWindowFunction, joinWindowFunction, type TaggedUnion } from './co-group-window-function.ts'
import { intervalJoinOperator } from './interval-join-operator.ts'
import { keyedCoProcessOperator } from './keyed-co-process-operator.ts'
import { sharedWindows } from './shared-windows.ts'
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

describe('windows shared by two streams', () => {
  const run = async (factory: OperatorFactory, options: ScriptOptions) =>
    (await runScript(factory, golden.input, options)).map(({ value, timestamp }) => ({
      ...(value as object),
      timestamp,
    }))
  const pairs = joinWindowFunction<string, ScriptRecord, ScriptRecord, unknown, TimeWindow>(
    (left, right) => ({
      type: 'join',
      left: left.id,
      right: right.id,
    }),
  )
  const groups = coGroupWindowFunction<string, ScriptRecord, ScriptRecord, unknown, TimeWindow>(
    (left, right) => [
      {
        type: 'cogroup',
        key: (left[0] ?? right[0])?.key,
        left: left.map(({ id }) => id),
        right: right.map(({ id }) => id),
      },
    ],
  )

  test.each<[string, () => OperatorFactory]>([
    ['window_join_tumbling_5s', () => sharedWindows(TumblingEventTimeWindows.of('5 s'), pairs)],
    ['window_join_sliding_6s_3s', () => sharedWindows(SlidingEventTimeWindows.of('6 s', '3 s'), pairs)],
    ['cogroup_tumbling_5s', () => sharedWindows(TumblingEventTimeWindows.of('5 s'), groups)],
  ])('%s', async (name, factory) => {
    for (const way of ways) {
      expect(sorted(await run(factory(), way)), JSON.stringify(way)).toEqual(sorted(expected(name)))
    }
  })

  test('union_tumbling_5s', async () => {
    const union = (): OperatorFactory =>
      sharedWindows<TimeWindow>(TumblingEventTimeWindows.of('5 s'), (key, { start, end }, elements) => [
        {
          ...{ type: 'fire', key, start, end, count: elements.length, sum: 0 },
          ids: elements.map(({ value }) => value.id),
        },
      ])
    const unwatermarked = ({ watermark: _, ...row }: Readonly<Record<string, unknown>>): object => row
    for (const way of ways) {
      const rows = expected('union_tumbling_5s').map(unwatermarked)
      expect(sorted(await run(union(), way)), JSON.stringify(way)).toEqual(sorted(rows))
    }
  })
})

test('functions of windows have their life cycle, and flat joins any number of results', async () => {
  const calls: string[] = []
  const { open, close, apply } = joinWindowFunction<string, number, number, string, TimeWindow>({
    open: () => {
      calls.push('open')
    },
    flatJoin: (left, right, out) => {
      if (left < right) out(`${left}<${right}`)
      return left === right ? ['same', 'twice'] : undefined
    },
    close: () => {
      calls.push('close')
    },
  }) as Required<
    Exclude<WindowFunction<string, TaggedUnion<number, number>, string>, (...a: never) => unknown>
  >
  await open({} as never)
  const results: string[] = []
  const out = Object.assign((value: string) => results.push(value), { collect: () => {} }) as never
  const elements = [
    { side: 'left', value: 1 },
    { side: 'right', value: 2 },
    { side: 'left', value: 2 },
    { side: 'left', value: 3 },
  ] as const
  apply('k', new TimeWindow(0, 1), elements, out)
  await close()
  expect(results).toEqual(['1<2', 'same', 'twice'])
  expect(calls).toEqual(['open', 'close'])
  const plain = coGroupWindowFunction<string, number, number, string, TimeWindow>({
    coGroup: (left, right) => [`${left.length}+${right.length}`],
  }) as { apply: typeof apply }
  plain.apply('k', new TimeWindow(0, 1), elements, out)
  expect(results.at(-1)).toBe('3+1')
})
