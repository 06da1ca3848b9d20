import { describe, expect, test } from 'vitest'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { GlobalWindows } from './assigners/global-windows.ts'
import { ProcessingTimeSessionWindows } from './assigners/session-windows.ts'
import { SlidingProcessingTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingProcessingTimeWindows } from './assigners/tumbling-windows.ts'
import type { WindowAssigner } from './assigners/window-assigner.ts'
import { windowOperator } from './create-window-operator.ts'
import { CountEvictor, DeltaEvictor, TimeEvictor } from './evictors/built-in-evictors.ts'
import { TimeWindow, type Window } from './time-window.ts'
import { ContinuousProcessingTimeTrigger } from './triggers/continuous-triggers.ts'
import { CountTrigger } from './triggers/count-trigger.ts'
import { ProcessingTimeoutTrigger } from './triggers/processing-timeout-trigger.ts'
import { PurgingTrigger } from './triggers/purging-trigger.ts'
import type { WindowOptions } from './window-options.ts'

interface Reading {
  readonly key: string
  readonly value: number
}

type Options<W extends Window> = Partial<WindowOptions<string, Reading, W>> &
  Pick<WindowOptions<string, Reading, W>, 'assigner'>

const factoryOf = <W extends Window>(options: Options<W>) =>
  windowOperator<string, Reading, W>({
    keySelector: reading => reading.key,
    aggregation: { type: 'list' },
    output: {
      type: 'apply',
      function: (key, window, elements, out) => {
        const bounds = window instanceof TimeWindow ? `[${window.start},${window.end})` : 'global'
        out(`${key} ${bounds} ${(elements as Reading[]).map(element => element.value).join('+')}`)
      },
    },
    ...options,
  })
const open = <W extends Window>(options: Options<W>) => new OperatorHarness(factoryOf(options)).open()
const a = (value: number): Reading => ({ key: 'a', value })
const nothing = { states: [], timers: [] }

describe('processing time', () => {
  test('tumbling windows fire by the clock, survive a restore, and leave nothing', async () => {
    const options = { assigner: TumblingProcessingTimeWindows.of(100, 30) }
    let harness = await open(options)
    const start = harness.clock.now()
    const first = start - ((start - 30) % 100)
    harness.push(a(1))
    harness.push(a(2))
    const restored = await harness.snapshot(1)
    const { clock } = harness
    harness = await new OperatorHarness(factoryOf(options), { restored, clock }).open()
    clock.advance(first + 99 - start)
    expect(harness.emitted).toEqual([{ value: `a [${first},${first + 100}) 1+2`, timestamp: first + 99 }])
    harness.push(a(3))
    clock.advance(200)
    expect(harness.values().length).toBe(2)
    expect((await harness.snapshot(2)).keyed).toEqual(nothing)
  })

  test('a window that ends in the middle of a millisecond fires once it is over', async () => {
    const harness = await open({ assigner: ProcessingTimeSessionWindows.withDynamicGap(() => 10.5) })
    harness.push(a(1))
    harness.clock.advance(20)
    expect(harness.values().length).toBe(1)
  })

  test('sliding windows hold each record as often as they overlap', async () => {
    const harness = await open({ assigner: SlidingProcessingTimeWindows.of(100, 50) })
    harness.push(a(1))
    harness.clock.advance(1000)
    expect(harness.values().length).toBe(2)
  })

  test('sessions end when nothing came for the gap', async () => {
    const harness = await open({ assigner: ProcessingTimeSessionWindows.withGap(50) })
    const start = harness.clock.now()
    harness.push(a(1))
    harness.clock.advance(40)
    harness.push(a(2))
    harness.clock.advance(49)
    // As Flink: it fires when the clock reaches the last millisecond of the window.
    expect(harness.values()).toEqual([`a [${start},${start + 90}) 1+2`])
    harness.push(a(3))
    expect(harness.values().length).toBe(1)
    harness.clock.advance(1000)
    expect(harness.values().length).toBe(2)
    expect((await harness.snapshot(1)).keyed).toEqual(nothing)
  })

  test('a continuous trigger fires at each multiple while the window lasts', async () => {
    const harness = await open({
      assigner: TumblingProcessingTimeWindows.of(1000),
      trigger: ContinuousProcessingTimeTrigger.of(300),
    })
    const start = harness.clock.now()
    const end = start - (start % 1000) + 1000
    harness.push(a(1))
    harness.clock.advance(end - start + 2000)
    const times = Math.ceil((end - 1 - (start - (start % 300))) / 300)
    expect(harness.values().length).toBe(times)
  })

  test('a timeout fires what is there, once, and begins anew', async () => {
    const harness = await open({
      assigner: GlobalWindows.create(),
      trigger: PurgingTrigger.of(ProcessingTimeoutTrigger.of(CountTrigger.of(3), 100)),
    })
    for (const value of [1, 2, 3, 4]) harness.push(a(value))
    expect(harness.values()).toEqual(['a global 1+2+3'])
    harness.clock.advance(60)
    harness.push(a(5))
    harness.clock.advance(40)
    expect(harness.values()).toEqual(['a global 1+2+3', 'a global 4+5'])
    harness.clock.advance(1000)
    harness.push(a(6))
    harness.push(a(7))
    harness.push(a(8))
    expect(harness.values().length).toBe(3)
  })

  test('a timeout may begin anew with each record, and may leave the other trigger what it knows', async () => {
    const harness = await open({
      assigner: GlobalWindows.create(),
      trigger: ProcessingTimeoutTrigger.of(CountTrigger.of(3), 100, {
        resetTimerOnNewRecord: true,
        shouldClearOnTimeout: false,
      }),
    })
    harness.push(a(1))
    harness.clock.advance(99)
    harness.push(a(2))
    harness.clock.advance(99)
    expect(harness.values()).toEqual([])
    harness.clock.advance(1)
    expect(harness.values()).toEqual(['a global 1+2'])
    harness.push(a(3))
    expect(harness.values().length).toBe(2)
  })
})

describe('evictors', () => {
  const all = (options: Partial<WindowOptions<string, Reading, Window>>) =>
    open<Window>({
      assigner: GlobalWindows.create() as WindowAssigner<Reading, Window>,
      trigger: CountTrigger.of(1),
      ...options,
    })

  test('by time: relative to the newest record, exclusive', async () => {
    const harness = await all({ evictor: TimeEvictor.of(10) })
    for (const [value, time] of [
      [1, 100],
      [2, 95],
      [3, 105],
      [4, 104],
    ] as const) {
      harness.push(a(value), time)
    }
    expect(harness.values().at(-1)).toBe('a global 1+3+4')
  })

  test('by time: records without timestamps are kept', async () => {
    const harness = await all({ evictor: TimeEvictor.of(10) })
    harness.push(a(1))
    harness.push(a(2))
    expect(harness.values().at(-1)).toBe('a global 1+2')
  })

  test('by delta to the newest record, also after the function', async () => {
    const evictor = DeltaEvictor.of<Reading>(5, (one, newest) => Math.abs(one.value - newest.value))
    const before = await all({ evictor })
    for (const value of [10, 12, 4, 8]) before.push(a(value), value)
    expect(before.values()).toEqual(['a global 10', 'a global 10+12', 'a global 4', 'a global 4+8'])
    const after = await all({
      evictor: DeltaEvictor.of<Reading>(
        5,
        { getDelta: (one, newest) => Math.abs(one.value - newest.value) },
        true,
      ),
    })
    for (const value of [10, 12, 4, 8]) after.push(a(value), value)
    expect(after.values()).toEqual(['a global 10', 'a global 10+12', 'a global 10+12+4', 'a global 4+8'])
  })

  test('reduce and aggregate apply to what is left, through a restore; an emptied window is gone', async () => {
    const options: Options<Window> = {
      assigner: GlobalWindows.create() as WindowAssigner<Reading, Window>,
      trigger: CountTrigger.of(2),
      evictor: CountEvictor.of(2),
      aggregation: { type: 'reduce', reduce: (x, y) => ({ key: x.key, value: x.value + y.value }) },
      output: undefined,
    }
    let harness = await open(options)
    for (const value of [1, 2, 3]) harness.push(a(value))
    const restored = await harness.snapshot(1)
    harness = await new OperatorHarness(factoryOf(options), { restored }).open()
    harness.push(a(4))
    expect(harness.values()).toEqual([a(7)])
    const empty = await open({ ...options, evictor: CountEvictor.of(0) })
    empty.push(a(1))
    empty.push(a(2))
    expect(empty.values()).toEqual([])
    expect((await empty.snapshot(1)).keyed.states).toEqual([])
  })
})
