import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AggregateFunction } from '../functions/functions.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import { windowOperator } from './create-window-operator.ts'
import { LATE_RECORDS_DROPPED } from './late-records.ts'
import type { TimeWindow } from './time-window.ts'
import type { WindowOptions } from './window-options.ts'

interface Element {
  id: string
  key: string
  ts: number
  value: number
}
interface Sum {
  count: number
  sum: number
  ids: string[]
}
const sums: AggregateFunction<Element, Sum, Sum> = {
  createAccumulator: () => ({ count: 0, sum: 0, ids: [] }),
  add: (value, acc) => {
    acc.count++
    acc.sum += value.value
    acc.ids.push(value.id)
    return acc
  },
  getResult: acc => acc,
}
const windows = (
  sizeMs: number,
  rest: Partial<WindowOptions<string, Element, TimeWindow>> = {},
): ReturnType<typeof windowOperator> =>
  windowOperator<string, Element, TimeWindow>({
    assigner: TumblingEventTimeWindows.of(sizeMs),
    keySelector: element => element.key,
    aggregation: { type: 'aggregate', aggregate: sums as AggregateFunction<Element, unknown, unknown> },
    output: {
      type: 'result',
      function: (key, window, result) => ({ key, ...window, ...(result as Sum) }),
    },
    lateTag: undefined,
    ...rest,
  })

describe('against a batch computation', () => {
  const element = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    ts: fc.integer({ min: -120, max: 120 }),
    value: fc.integer({ min: -9, max: 9 }),
  })
  const step = fc.oneof(
    { weight: 5, arbitrary: element },
    { weight: 1, arbitrary: fc.record({ watermark: fc.integer({ min: -130, max: 130 }) }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  )

  test('results, late records and restarts at random points, also inside a window', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: -24, max: 24 }),
        fc.boolean(),
        async (steps, size, anyOffset, reduce) => {
          const offset = anyOffset % size
          const factory = windowOperator<string, Element, TimeWindow>({
            assigner: TumblingEventTimeWindows.of(size, offset),
            keySelector: value => value.key,
            aggregation: reduce
              ? { type: 'reduce', reduce: (a, b) => ({ ...a, value: a.value + b.value }) }
              : {
                  type: 'aggregate',
                  aggregate: {
                    createAccumulator: () => ({ value: 0 }),
                    add: (value, acc) => {
                      ;(acc as Element).value += value.value
                      return acc
                    },
                    getResult: acc => acc,
                  },
                },
            output: {
              type: 'result',
              function: (key, window, result) =>
                `${key} [${window.start},${window.end}) ${(result as Element).value}`,
            },
            lateTag: 'late',
          })
          const results: string[] = []
          let late = 0
          let harness = await new OperatorHarness(factory, { shouldYield: () => true }).open()
          const collect = () => {
            for (const { value, timestamp } of harness.emitted.splice(0))
              results.push(`${value} @${timestamp}`)
            late += harness.sideOutputs.get('late')?.splice(0).length ?? 0
          }
          const model = new Map<string, number>()
          let expectedLate = 0
          const expected: string[] = []
          let watermark = -1000
          const fireModel = (until: number) => {
            watermark = Math.max(watermark, until)
            for (const [id, sum] of model) {
              const [key, start] = id.split('|') as [string, string]
              const end = Number(start) + size
              if (end - 1 > watermark) continue
              model.delete(id)
              expected.push(`${key} [${start},${end}) ${sum} @${end - 1}`)
            }
          }
          for (const each of [...steps, { watermark: 1000 }]) {
            if (each === 'restart') {
              const restored = await harness.snapshot(1)
              collect()
              harness = await new OperatorHarness(factory, { restored, shouldYield: () => true }).open()
              // Sources send the watermark again before new records come.
              harness.advance(watermark)
            } else if ('watermark' in each) {
              harness.advance(each.watermark)
              fireModel(each.watermark)
            } else {
              harness.push({ id: '', ...each }, each.ts)
              let start = each.ts
              while ((start - offset) % size !== 0) start--
              if (start + size - 1 <= watermark) expectedLate++
              else model.set(`${each.key}|${start}`, (model.get(`${each.key}|${start}`) ?? 0) + each.value)
            }
            collect()
          }
          expect(results.sort()).toEqual(expected.sort())
          expect(late).toBe(expectedLate)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('a snapshot in the middle of a window has exactly the keys not yet emitted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 8 }),
        async (keys, steps) => {
          const factory = windows(10)
          let harness = await new OperatorHarness(factory, { shouldYield: () => true }).open()
          for (let i = 0; i < keys; i++)
            harness.push({ id: `e${i}`, key: `k${i}`, ts: i % 10, value: i }, i % 10)
          const seen: unknown[] = []
          for (let i = 0; i < steps; i++) harness.step(9)
          // One snapshot is used, another one is not: the walk must survive both.
          await harness.snapshot(1)
          harness.step(9)
          const restored = await harness.snapshot(2)
          seen.push(...harness.values())
          harness = await new OperatorHarness(factory, { restored, shouldYield: () => true }).open()
          harness.advance(9)
          seen.push(...harness.values())
          const names = seen.map(value => (value as Element).key)
          expect(names.length).toBe(keys)
          expect(new Set(names).size).toBe(keys)
          expect((await harness.snapshot(3)).keyed.states).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('errors and counters', () => {
  test('late records without a side output are counted', async () => {
    const harness = await new OperatorHarness(windows(10)).open()
    harness.advance(100)
    harness.push({ id: '1', key: 'a', ts: 5, value: 1 }, 5)
    harness.push({ id: '2', key: 'a', ts: 100, value: 1 }, 100)
    await harness.operator.finish?.()
    expect(harness.accumulators).toEqual({ [LATE_RECORDS_DROPPED]: 1 })
  })

  test('a record without timestamp names record, operator and remedy', async () => {
    const harness = await new OperatorHarness(windows(10)).open()
    expect(() => harness.push({ id: 'e7', key: 'a', ts: 0, value: 1 })).toThrow(
      /'operator under test' works in event time.*e7.*withTimestampAssigner/,
    )
  })

  test('an error of the aggregate or window function keeps the message and names the place', async () => {
    const failing = windows(10, {
      output: {
        type: 'result',
        function: () => {
          throw new RangeError('no such airport')
        },
      },
    })
    const harness = await new OperatorHarness(failing).open()
    harness.push({ id: 'e1', key: 'a', ts: 1, value: 1 }, 1)
    expect(() => harness.advance(50)).toThrow(/^no such airport.*window function.*start: 0, end: 10/)
  })

  test('a key that cannot be one names the record', async () => {
    const harness = await new OperatorHarness(
      windows(10, { keySelector: () => null as unknown as string }),
    ).open()
    expect(() => harness.push({ id: 'e9', key: 'a', ts: 1, value: 1 }, 1)).toThrow(/null cannot be a key.*e9/)
  })

  test.each([
    ['0 s', 0],
    [-5, 0],
    ['soon', 0],
    [Number.NaN, 0],
    [1.5, 0],
    ['1 d', '1 d'],
    ['1 d', '-25 h'],
    [{ hours: '1' } as never, 0],
  ])('size %j with offset %j is refused', (size, offset) => {
    expect(() => TumblingEventTimeWindows.of(size, offset)).toThrow(/TumblingEventTimeWindows\.of/)
  })

  test('sizes and offsets in all notations', () => {
    expect(TumblingEventTimeWindows.of('1 d', '-8 h')).toMatchObject({
      sizeMs: 86_400_000,
      offsetMs: -28_800_000,
    })
    expect(TumblingEventTimeWindows.of({ minutes: 1, seconds: 30 }).sizeMs).toBe(90_000)
  })
})
