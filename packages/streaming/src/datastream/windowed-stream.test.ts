import {
  type AggregateFunction,
  CountEvictor,
  CountTrigger,
  DeltaTrigger,
  EventTimeSessionWindows,
  type GlobalWindow,
  GlobalWindows,
  type ProcessWindowContext,
  SlidingEventTimeWindows,
  type TimeWindow,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
  WatermarkStrategy,
} from '@flink-ts/operators'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { StreamExecutionEnvironment } from '../environment/stream-execution-environment.ts'
import { planned, plannedJob } from '../graph/fake-context.ts'
import type { AllWindowedStream } from './all-windowed-stream.ts'
import type { DataStream } from './data-stream.ts'
import { extremeBy, extremeOf, sumOf } from './field-aggregation.ts'
import type { WindowedStream } from './windowed-stream.ts'

interface Click {
  readonly user: string
  readonly at: Date
  readonly count: number
  readonly page: string | undefined
}
const clicks = (env: StreamExecutionEnvironment): DataStream<Click> =>
  env
    .fromElements<Click>({ user: 'u', at: new Date(0), count: 1, page: undefined })
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forMonotonousTimestamps<Click>().withTimestampAssigner(click => click.at.getTime()),
    )

test('types are inferred through windows', () =>
  planned(env => {
    const keyed = clicks(env).keyBy(click => [click.user, click.count] as const)
    const windows = keyed.window(TumblingEventTimeWindows.of('1 d'))
    expectTypeOf(windows).toEqualTypeOf<WindowedStream<Click, readonly [string, number], TimeWindow>>()
    expectTypeOf(keyed.timeWindow('1 h', '5 min')).toEqualTypeOf(windows)
    expectTypeOf(keyed.countWindow(5)).toExtend<
      WindowedStream<Click, readonly [string, number], GlobalWindow>
    >()
    expectTypeOf(windows.reduce(left => left)).toExtend<DataStream<Click>>()
    expectTypeOf(windows.sum('count')).toExtend<DataStream<Click>>()
    expectTypeOf(windows.maxBy(click => click.at)).toExtend<DataStream<Click>>()
    // @ts-expect-error: a text cannot be added up
    windows.sum('user')
    // @ts-expect-error: what may be absent cannot be compared
    windows.min('page')
    // @ts-expect-error: no such field
    windows.max('counts')
    expectTypeOf(
      windows.aggregate(
        { createAccumulator: () => 0, add: (click, n) => n + click.count, getResult: n => ({ n }) },
        ([user], window, { n }) => ({ user, hours: (window.end - window.start) / 3_600_000, n }),
      ),
    ).toExtend<DataStream<{ user: string; hours: number; n: number }>>()
    expectTypeOf(
      windows.aggregate(
        { createAccumulator: () => 0, add: (click, n) => n + click.count, getResult: n => `${n}` },
        {
          process(key, context, elements, out) {
            expectTypeOf(key).toEqualTypeOf<readonly [string, number]>()
            expectTypeOf(context).toEqualTypeOf<ProcessWindowContext<TimeWindow>>()
            expectTypeOf(elements).toEqualTypeOf<readonly string[]>()
            out(elements.length)
          },
        },
      ),
    ).toExtend<DataStream<unknown>>()
    const pages = windows.process<number>({ process: (_key, _context, all, out) => out(all.length) })
    expectTypeOf(pages).toExtend<DataStream<number>>()
    const lines = windows.apply<string>((key, window, all) =>
      all.map(click => `${key[0]} ${window.start} ${click.page}`),
    )
    expectTypeOf(lines).toExtend<DataStream<string>>()
    expectTypeOf(windows.fold('', (text, click) => text + click.user)).toExtend<DataStream<string>>()
    keyed
      .window(GlobalWindows.create())
      .trigger(DeltaTrigger.of(3, (before: Click, now) => now.count - before.count))
      .evictor(CountEvictor.of(10))
      .apply((_key, window, all) => {
        expectTypeOf(window).toEqualTypeOf<GlobalWindow>()
        return all
      })
    const everything = clicks(env).windowAll(SlidingEventTimeWindows.of('10 s', '1 s'))
    expectTypeOf(everything).toEqualTypeOf<AllWindowedStream<Click, TimeWindow>>()
    expectTypeOf(
      everything.reduce(
        left => left,
        (window, click) => [window.end, click.user] as const,
      ),
    ).toExtend<DataStream<readonly [number, string]>>()
    expectTypeOf(clicks(env).countWindowAll(10).minBy('at')).toExtend<DataStream<Click>>()
  }))

test('names tell the kind of window; windows without keys have one subtask', async () => {
  const { graph } = await plannedJob(env => {
    env.setParallelism(3)
    const stream = clicks(env)
    stream
      .keyBy(click => click.user)
      .window(EventTimeSessionWindows.withGap('5 min'))
      .sum('count')
      .keyBy(click => click.user)
      .window(TumblingProcessingTimeWindows.of('5 min'))
      .sum('count')
      .keyBy(click => click.user)
      .countWindow(5, 2)
      .sum('count')
      .timeWindowAll('1 min', '10 s')
      .apply<string>({ apply: (window, all, out) => out(`${window.start} ${all.length}`) })
      .print()
  })
  const operators = graph.vertices.flatMap(vertex =>
    vertex.operators.map(operator => `${operator.name} ${vertex.parallelism}`),
  )
  expect(operators).toContain('Session Window 3')
  expect(operators).toContain('Tumbling Window 3')
  expect(operators).toContain('Global Window 3')
  expect(operators).toContain('Sliding Window 1')
})

describe('wrong calls say what to change', () => {
  const windows = (call: (windows: WindowedStream<Click, string, TimeWindow>) => unknown): Promise<unknown> =>
    planned(env => {
      call(
        clicks(env)
          .keyBy(click => click.user)
          .window(EventTimeSessionWindows.withGap('5 min')),
      )
    })
  const sums: AggregateFunction<Click, number, number> = {
    createAccumulator: () => 0,
    add: (click, n) => n + click.count,
    getResult: n => n,
  }

  test.each([
    [
      'aggregate without merge',
      w => w.aggregate(sums),
      /aggregate on windows that merge.*give .* merge\(left, right\)/,
    ],
    ['fold on sessions', w => w.fold(0, n => n), /fold on windows that merge/],
    [
      'a trigger that cannot merge',
      w => w.trigger(DeltaTrigger.of(1, () => 2)),
      /DeltaTrigger, which does not supp/,
    ],
    ['no trigger', w => w.trigger({} as never), /trigger got .*the method onElement/],
    ['no evictor', w => w.evictor({} as never), /evictor got .*the method evictBefore/],
    ['a negative lateness', w => w.allowedLateness(-1), /allowedLateness: -1 is no valid duration/],
    ['no aggregate', w => w.aggregate({} as never), /aggregate got .*createAccumulator/],
    ['no function', w => w.apply({} as never), /apply got .*a function, or an object with the method apply/],
    [
      'a plain process function',
      w => w.process((() => 1) as never),
      /process got .*object with the method process/,
    ],
    [
      'an async function',
      w => w.apply(async () => []) as never,
      /function given to apply .*returns a promise/,
    ],
    [
      'no result function',
      w => w.reduce(x => x, {} as never),
      /reduce \(window function\) got .*method apply/,
    ],
    ['no field', w => w.sum(undefined as never), /sum got undefined: give the name of a field/],
  ] as [string, (w: WindowedStream<Click, string, TimeWindow>) => unknown, RegExp][])(
    '%s',
    (_what, call, message) => expect(windows(call)).rejects.toThrow(message),
  )

  test('no assigner', () =>
    expect(
      planned(env => {
        clicks(env)
          .keyBy(click => click.user)
          .window({} as never)
      }),
    ).rejects.toThrow(/window got .*the method assignWindows/))

  test('a count of windows', () =>
    expect(
      planned(env => {
        clicks(env)
          .keyBy(click => click.user)
          .countWindow(0)
      }),
    ).rejects.toThrow(/CountTrigger\.of got 0/))
})

describe('aggregation by field', () => {
  const rows = [
    { name: 'b', n: 2, big: 5n, at: new Date(9) },
    { name: 'a', n: 7, big: 1n, at: new Date(3) },
    { name: 'c', n: 2, big: 2n, at: new Date(12) },
  ]
  const over = <T>(values: readonly T[], reduce: unknown): T => values.reduce(reduce as (a: T, b: T) => T)

  test('sum, min and max keep the other fields of the first record and change no record', () => {
    expect(over(rows, sumOf<(typeof rows)[0]>('sum', 'n'))).toEqual({ ...rows[0], n: 11 })
    expect(over(rows, sumOf<(typeof rows)[0]>('sum', 'big'))).toEqual({ ...rows[0], big: 8n })
    expect(over(rows, extremeOf<(typeof rows)[0]>('min', 'name', 1))).toEqual({ ...rows[0], name: 'a' })
    expect(over(rows, extremeOf<(typeof rows)[0]>('max', 'at', -1))).toEqual({ ...rows[0], at: new Date(12) })
    expect(rows[0]).toEqual({ name: 'b', n: 2, big: 5n, at: new Date(9) })
    expect(
      over<[string, number]>(
        [
          ['x', 1],
          ['y', 2],
        ],
        sumOf<[string, number]>('sum', 1),
      ),
    ).toEqual(['x', 3])
  })

  test('minBy and maxBy keep the whole record, of equal ones the first or the last', () => {
    type Row = (typeof rows)[0]
    expect(over(rows, extremeBy<Row>('minBy', 'n', 1, true))).toBe(rows[0])
    expect(over(rows, extremeBy<Row>('minBy', 'n', 1, false))).toBe(rows[2])
    expect(
      over(
        rows,
        extremeBy<Row>('maxBy', row => row.n, -1, true),
      ),
    ).toBe(rows[1])
  })

  test('what cannot be added or compared names the field', () => {
    const sum = sumOf<{ n: number }>('sum', 'n') as (a: unknown, b: unknown) => unknown
    expect(() => sum({ n: 1 }, { n: '2' })).toThrow(/sum found number and string in the field 'n'/)
    expect(() => sum({ n: 1 }, {})).toThrow(/sum found undefined in the field 'n'/)
    const min = extremeOf<{ n: number }>('min', 'n', 1) as (a: unknown, b: unknown) => unknown
    expect(() => min({ n: {} }, { n: {} })).toThrow(/min found object and object/)
  })
})

test('count windows are windows with a trigger, and an evictor if they slide', () =>
  planned(env => {
    const keyed = clicks(env).keyBy(click => click.user)
    expect(() => keyed.countWindow(3, 0)).toThrow(/CountTrigger\.of got 0/)
    expect(() => keyed.countWindow(-1, 1)).toThrow(/CountEvictor\.of got -1/)
    expect(() => keyed.window(GlobalWindows.create()).trigger(CountTrigger.of(1))).not.toThrow()
  }))
