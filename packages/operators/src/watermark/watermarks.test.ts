import { describe, expect, test } from 'vitest'
import { sourceOperator } from '../builtin/source-operator.ts'
import { timestampsAndWatermarksOperator } from '../builtin/timestamps-and-watermarks-operator.ts'
import { MAX_WATERMARK, MIN_WATERMARK } from '../contract/stream-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import type { Source, SplitsOutput } from '../source/source.ts'
import {
  AscendingTimestampExtractor,
  BoundedOutOfOrdernessTimestampExtractor,
  type OldTimestampAssigner,
  watermarkStrategyOf,
} from './old-assigners.ts'
import type { WatermarkGenerator } from './watermark-generator.ts'
import { WatermarkStrategy } from './watermark-strategy.ts'

interface Event {
  readonly at: number
  readonly marker?: boolean
}

const strategy = (generator: WatermarkGenerator<Event>): WatermarkStrategy<Event> =>
  WatermarkStrategy.forGenerator<Event>(() => generator).withTimestampAssigner(event => event.at)
const punctuated: WatermarkGenerator<Event> = {
  onEvent(event, timestamp, output) {
    if (event.marker === true) output.emitWatermark(timestamp)
  },
  onPeriodicEmit() {},
}
const bounded = WatermarkStrategy.forBoundedOutOfOrderness<Event>(10).withTimestampAssigner(event => event.at)

describe('generators', () => {
  test('a punctuated one emits behind the record that it is asked about', async () => {
    const seen: unknown[] = []
    const factory = timestampsAndWatermarksOperator(strategy(punctuated))
    const harness = await new OperatorHarness(factory, {
      onEmit: ({ timestamp }) => seen.push([timestamp, [...harness.watermarks]]),
    }).open()
    harness.push({ at: 5 })
    harness.push({ at: 7, marker: true })
    harness.push({ at: 8 })
    expect(seen).toEqual([
      [5, []],
      [7, []],
      [8, [7]],
    ])
  })

  test('a periodic one is asked at each interval, once for each subtask with its index', async () => {
    const made: unknown[] = []
    const factory = timestampsAndWatermarksOperator(
      WatermarkStrategy.forGenerator<Event>(context => {
        made.push([context.subtaskIndex, context.parallelism])
        let highest = Number.NEGATIVE_INFINITY
        return {
          onEvent: (_event, timestamp) => {
            highest = Math.max(highest, timestamp)
          },
          onPeriodicEmit: output => output.emitWatermark(highest - 3),
        }
      }).withTimestampAssigner(event => event.at),
    )
    const harness = await new OperatorHarness(factory, { subtaskIndex: 1, parallelism: 3 }).open()
    harness.push({ at: 50 })
    harness.push({ at: 40 })
    expect(harness.watermarks).toEqual([])
    harness.clock.advance(200)
    expect(harness.watermarks).toEqual([47])
    expect(made).toEqual([[1, 3]])
  })

  test('a watermark that is none, and one that throws, name generator and record', async () => {
    const wrong = timestampsAndWatermarksOperator(
      strategy({ onEvent: (_e, _t, output) => output.emitWatermark(Number.NaN), onPeriodicEmit() {} }),
    )
    const harness = await new OperatorHarness(wrong).open()
    expect(() => harness.push({ at: 1 })).toThrow(
      /watermark generator of operator .* emitted NaN: give millis/,
    )
    const failing = timestampsAndWatermarksOperator(
      strategy({
        onEvent: () => {
          throw new RangeError('no such marker')
        },
        onPeriodicEmit: () => {
          throw new RangeError('no time')
        },
      }),
    )
    const second = await new OperatorHarness(failing).open()
    expect(() => second.push({ at: 1 })).toThrow(/^no such marker.*onEvent of the watermark generator.*at: 1/)
    expect(() => second.clock.advance(200)).toThrow(/^no time.*onPeriodicEmit of the watermark generator/)
    expect(() => WatermarkStrategy.forGenerator({} as never)).toThrow(
      /forGenerator got .*a function that makes/,
    )
  })
})

describe('idleness', () => {
  test('is said once, and ends with the first record or watermark after it', async () => {
    const quiet = WatermarkStrategy.forGenerator<Event>(() => punctuated).withIdleness(500)
    const harness = await new OperatorHarness(timestampsAndWatermarksOperator(quiet)).open()
    harness.clock.advance(400)
    expect(harness.idleCalls).toBe(0)
    harness.clock.advance(2000)
    expect(harness.idleCalls).toBe(1)
    // No marker, but somebody is there: an old watermark says so.
    harness.push({ at: 5 }, 5)
    harness.clock.advance(200)
    expect(harness.watermarks).toEqual([MIN_WATERMARK])
    harness.clock.advance(1000)
    expect(harness.idleCalls).toBe(2)
  })
})

test('records that cannot go on for full outputs are no idleness', async () => {
  const quiet = WatermarkStrategy.forGenerator<Event>(() => punctuated).withIdleness(500)
  const harness = await new OperatorHarness(timestampsAndWatermarksOperator(quiet)).open()
  harness.push({ at: 5 }, 5)
  harness.blocked = true
  harness.clock.advance(3000)
  expect(harness.idleCalls).toBe(0)
  harness.blocked = false
  harness.clock.advance(400)
  expect(harness.idleCalls).toBe(0)
  harness.clock.advance(400)
  expect(harness.idleCalls).toBe(1)
  // Who is idle stays so.
  harness.blocked = true
  harness.clock.advance(1000)
  expect([harness.idleCalls, harness.watermarks]).toEqual([1, []])
})

describe('restores', () => {
  const restored = async (stored: readonly unknown[]) => {
    const harness = new OperatorHarness(timestampsAndWatermarksOperator(bounded), {
      restored: {
        checkpointId: 1,
        keyed: { states: [], timers: [] },
        operator: { watermark: stored },
      },
    })
    await harness.open()
    harness.clock.advance(0)
    return harness.watermarks
  }
  const at = (watermark: number, idle = false) => ({ watermark, idle })

  test('snapshots have the watermark, and whether the stream is idle', async () => {
    const harness = await new OperatorHarness(
      timestampsAndWatermarksOperator(bounded.withIdleness(300)),
    ).open()
    expect((await harness.snapshot(1)).operator).toEqual({ watermark: [at(MIN_WATERMARK)] })
    harness.push({ at: 81 })
    harness.clock.advance(200)
    expect((await harness.snapshot(2)).operator).toEqual({ watermark: [at(70)] })
    harness.clock.advance(2000)
    expect((await harness.snapshot(3)).operator).toEqual({ watermark: [at(70, true)] })
  })

  test.each([
    { stored: [at(70), at(50), at(90)], expected: [50], what: 'the slowest subtask' },
    { stored: [at(70), at(MIN_WATERMARK)], expected: [], what: 'one that had none' },
    { stored: [at(70), at(10, true), at(60)], expected: [60], what: 'active subtasks only' },
    { stored: [at(70, true), at(10, true)], expected: [70], what: 'the furthest if all are idle' },
    { stored: [at(MAX_WATERMARK), at(20)], expected: [20], what: 'those with input left' },
    { stored: [at(MAX_WATERMARK)], expected: [], what: 'the end of input' },
  ])('event time goes on from $what', async ({ stored, expected }) => {
    expect(await restored(stored)).toEqual(expected)
  })
})

describe('splits of one reader', () => {
  interface Row {
    readonly split: string
    readonly at: number
  }
  /** Plays records of several splits, as the test says. */
  const scripted = (rows: (Row | { readonly release: string })[]): Source<Row, string> => ({
    boundedness: 'unbounded',
    kind: 'scripted',
    enumerateSplits: () => ['all'],
    createReader: () => ({
      addSplits() {},
      poll(_max, output: SplitsOutput<Row>) {
        for (const row of rows.splice(0)) {
          if ('release' in row) output.releaseOutputForSplit(row.release)
          else output.createOutputForSplit(row.split).collect(row)
        }
        return 'wait'
      },
      snapshot: () => ['all'],
    }),
  })
  const row = (split: string, at: number): Row => ({ split, at })
  const byRow = WatermarkStrategy.forBoundedOutOfOrderness<Row>(0).withTimestampAssigner(each => each.at)

  test('the slowest holds event time back, until it is released', async () => {
    const rows: Parameters<typeof scripted>[0] = [row('a', 100), row('b', 50)]
    const harness = await new OperatorHarness(sourceOperator(scripted(rows), byRow)).open()
    let highest = MIN_WATERMARK
    // Lower ones and equal ones are ignored.
    const poll = (): number[] => {
      harness.operator.source?.emit(100)
      harness.clock.advance(200)
      const risen = harness.watermarks.splice(0).filter(watermark => watermark > highest)
      highest = Math.max(highest, ...risen)
      return risen
    }
    expect(poll()).toEqual([49])
    rows.push(row('a', 900))
    expect(poll()).toEqual([])
    rows.push(row('b', 70))
    expect(poll()).toEqual([69])
    rows.push({ release: 'b' })
    expect(poll()).toEqual([899])
    // A new one cannot turn time back.
    rows.push(row('c', 10), row('a', 1000))
    expect(poll()).toEqual([])
    rows.push(row('c', 2000))
    expect(poll()).toEqual([999])
  })

  test('an idle one does not hold it back', async () => {
    const rows = [row('a', 100), row('b', 50)]
    const strategyOf = byRow.withIdleness(400)
    const harness = await new OperatorHarness(sourceOperator(scripted(rows), strategyOf)).open()
    harness.operator.source?.emit(100)
    for (let i = 0; i < 5; i++) {
      harness.clock.advance(200)
      rows.push(row('a', 200 + i))
      harness.operator.source?.emit(100)
    }
    expect(harness.watermarks.at(-1)).toBeGreaterThanOrEqual(200)
    expect(harness.idleCalls).toBe(0)
    harness.clock.advance(2000)
    expect(harness.idleCalls).toBe(1)
  })
})

describe("Flink's old assigners", () => {
  class Bounded extends BoundedOutOfOrdernessTimestampExtractor<Event> {
    extractTimestamp(event: Event): number {
      return event.at
    }
  }
  class Ascending extends AscendingTimestampExtractor<Event> {
    extractAscendingTimestamp(event: Event): number {
      return event.at
    }
  }
  let highest = 0
  const old: [string, OldTimestampAssigner<Event>, number[]][] = [
    ['bounded', new Bounded('10 ms'), [29]],
    ['ascending', new Ascending(), [39]],
    [
      'periodic',
      {
        extractTimestamp: (event: Event) => {
          highest = Math.max(highest, event.at)
          return event.at
        },
        getCurrentWatermark: () => highest - 5,
      },
      [35],
    ],
    [
      'punctuated',
      {
        extractTimestamp: (event: Event) => event.at,
        checkAndGetNextWatermark: (event: Event, at: number) => (event.marker === true ? at : null),
      },
      [20],
    ],
  ]

  test.each(old)('%s', async (_name, assigner, expected) => {
    const known = watermarkStrategyOf(assigner) as WatermarkStrategy<Event>
    const harness = await new OperatorHarness(timestampsAndWatermarksOperator(known)).open()
    harness.push({ at: 20, marker: true })
    harness.push({ at: 40 })
    harness.clock.advance(200)
    expect(harness.watermarks).toEqual(expected)
    expect(harness.emitted.map(({ timestamp }) => timestamp)).toEqual([20, 40])
  })

  test('what is none is not taken for one', () => {
    expect(watermarkStrategyOf({ extractTimestamp: () => 1 } as never)).toBeUndefined()
    expect(watermarkStrategyOf(undefined as never)).toBeUndefined()
  })
})
