import { ListStateDescriptor } from '@flink-ts/state'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import type { Collector } from '../functions/collector.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { EventTimeSessionWindows } from './assigners/session-windows.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import type { MergingWindowAssigner, WindowAssigner } from './assigners/window-assigner.ts'
import { windowOperator } from './create-window-operator.ts'
import { CountEvictor, DeltaEvictor } from './evictors/built-in-evictors.ts'
import { RichWindowFunction } from './rich-window-functions.ts'
import { TimeWindow, type Window } from './time-window.ts'
import { ContinuousEventTimeTrigger } from './triggers/continuous-triggers.ts'
import { CountTrigger } from './triggers/count-trigger.ts'
import { DeltaTrigger } from './triggers/delta-trigger.ts'
import { ProcessingTimeoutTrigger } from './triggers/processing-timeout-trigger.ts'
import { EventTimeTrigger, ProcessingTimeTrigger } from './triggers/time-triggers.ts'
import { type OnMergeContext, Trigger, type TriggerContext, type TriggerResult } from './triggers/trigger.ts'
import type { ProcessWindowContext, ProcessWindowFunction } from './window-functions.ts'
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

describe('of the user', () => {
  /** Quarters of 90 days; the fourth has all the rest. */
  class Quarters implements WindowAssigner<Reading, TimeWindow> {
    readonly isEventTime = true

    assignWindows(_value: Reading, timestamp: number): readonly TimeWindow[] {
      const year = Math.floor(timestamp / 365)
      const quarter = Math.min(3, Math.floor((timestamp - year * 365) / 90))
      const end = quarter === 3 ? (year + 1) * 365 : year * 365 + (quarter + 1) * 90
      return [new TimeWindow(year * 365 + quarter * 90, end)]
    }

    getDefaultTrigger(): Trigger<Reading, TimeWindow> {
      return EventTimeTrigger.create()
    }
  }

  test('assigners: windows of different sizes', async () => {
    const harness = await open({ assigner: new Quarters() })
    for (const [value, time] of [
      [1, 5],
      [2, 89],
      [3, 90],
      [4, 364],
    ] as const) {
      harness.push(a(value), time)
    }
    harness.advance(400)
    expect(harness.values()).toEqual(['a [0,90) 1+2', 'a [90,180) 3', 'a [270,365) 4'])
  })

  test('assigners: windows of a type of their own, stored by their serializer', async () => {
    class Shift implements Window {
      readonly name: string
      constructor(name: string) {
        this.name = name
      }
      maxTimestamp(): number {
        return this.name === 'day' ? 99 : 199
      }
    }
    const options: Options<Shift> = {
      assigner: {
        isEventTime: true,
        assignWindows: (_value: Reading, timestamp: number) => [new Shift(timestamp < 100 ? 'day' : 'night')],
        getDefaultTrigger: () => EventTimeTrigger.create(),
        windowSerializer: {
          serialize: window => window.name,
          deserialize: stored => new Shift(String(stored)),
        },
      },
      output: {
        type: 'result',
        function: (key, window, list) => `${key} ${window.name} ${(list as []).length}`,
      },
    }
    const harness = await open(options)
    harness.push(a(1), 5)
    harness.push(a(2), 105)
    const restored = await harness.snapshot(1)
    const second = await new OperatorHarness(factoryOf(options), { restored }).open()
    second.advance(500)
    expect(second.values()).toEqual(['a day 1', 'a night 1'])
  })

  test('assigners that merge in their own way: only windows of the same hundred', async () => {
    const assigner: MergingWindowAssigner<Reading> = {
      isEventTime: true,
      assignWindows: (_value, timestamp) => [new TimeWindow(timestamp, timestamp + 10)],
      getDefaultTrigger: () => EventTimeTrigger.create(),
      mergeWindows(windows, merge) {
        const groups = Map.groupBy(windows, window => Math.floor(window.start / 100))
        for (const group of groups.values()) {
          if (group.length > 1)
            merge(
              group,
              group.reduce((x, y) => x.cover(y)),
            )
        }
      },
    }
    const harness = await open({ assigner })
    for (const time of [105, 190, 95, 150, 205]) harness.push(a(time), time)
    harness.advance(1000)
    expect(harness.values()).toEqual(['a [95,105) 95', 'a [105,200) 105+190+150', 'a [205,215) 205'])
    expect((await harness.snapshot(1)).keyed).toEqual(nothing)
  })

  const LAST = new ListStateDescriptor<number>('values')
  /** Fires when the values of a window add up to 10; sums of merged windows add up. */
  class Sum extends Trigger<Reading, Window> {
    onElement(reading: Reading, _time: number, _window: Window, context: TriggerContext): TriggerResult {
      const values = context.getPartitionedState(LAST)
      values.add(reading.value)
      const sum = [...values.get()].reduce((x, y) => x + y, 0)
      if (sum < 10) return 'CONTINUE'
      values.clear()
      return 'FIRE_AND_PURGE'
    }
    onEventTime(): TriggerResult {
      return 'CONTINUE'
    }
    onProcessingTime(): TriggerResult {
      return 'CONTINUE'
    }
    // Leaves its state: it ends with the window all the same.
    clear(): void {}
    override canMerge(): boolean {
      return true
    }
    override onMerge(_window: Window, context: OnMergeContext): void {
      context.mergePartitionedState(LAST)
    }
  }

  test('triggers: state by key and window, merged with sessions, gone with them', async () => {
    const harness = await open({ assigner: EventTimeSessionWindows.withGap(10), trigger: new Sum() })
    harness.push(a(4), 0)
    harness.push(a(4), 20)
    harness.push({ key: 'b', value: 9 }, 10)
    // Joins the two sessions of a.
    harness.push(a(2), 10)
    expect(harness.values()).toEqual(['a [0,30) 4+4+2'])
    harness.advance(1000)
    expect(harness.values().length).toBe(1)
    expect((await harness.snapshot(1)).keyed).toEqual(nothing)
  })

  test.each([
    { method: 'onElement', run: (harness: OperatorHarness) => harness.push(a(1), 1) },
    { method: 'onEventTime', run: (harness: OperatorHarness) => harness.advance(500) },
  ])('triggers: no result of $method, or an error, names it', async ({ method, run }) => {
    const wrong = (returned: () => unknown) => {
      const trigger = Object.create(EventTimeTrigger.create()) as Record<string, unknown>
      trigger[method] = returned
      return open({ assigner: TumblingEventTimeWindows.of(100), trigger: trigger as never })
    }
    const invalid = await wrong(() => 'MAYBE')
    if (method === 'onEventTime') invalid.push(a(1), 1)
    expect(() => run(invalid)).toThrow(
      new RegExp(`${method} of the trigger .* returned 'MAYBE': return 'CONTINUE'`),
    )
    const failing = await wrong(() => {
      throw new RangeError('no trigger')
    })
    if (method === 'onEventTime') failing.push(a(1), 1)
    expect(() => run(failing)).toThrow(/^no trigger.*trigger/)
  })

  test.each([
    { what: 'no array', windows: undefined, message: /returned undefined: return an array of windows/ },
    {
      what: 'no windows',
      windows: [{ start: 1, end: 2 }],
      message: /return TimeWindows, or give it a windowSer/,
    },
    { what: 'empty windows', windows: [new TimeWindow(5, 5)], message: /whose start is before their end/ },
  ])('assigners: $what', async ({ windows, message }) => {
    const harness = await open({
      assigner: {
        isEventTime: true,
        assignWindows: () => windows as never,
        getDefaultTrigger: () => EventTimeTrigger.create(),
      } as WindowAssigner<Reading, TimeWindow>,
    })
    expect(() => harness.push(a(1), 1)).toThrow(message)
  })

  test('process functions: life cycle, state of window and key, clear, side outputs', async () => {
    const calls: string[] = []
    class Everything implements ProcessWindowFunction<Reading, string, string> {
      open(context: RuntimeContext): void {
        calls.push(`open ${context.subtaskIndex}`)
      }
      process(
        key: string,
        context: ProcessWindowContext,
        elements: readonly Reading[],
        out: Collector<string>,
      ): string[] {
        const ofWindow = context.windowState.getListState(LAST)
        const ofKey = context.globalState.getListState(LAST)
        for (const { value } of elements) {
          ofWindow.add(value)
          ofKey.add(value)
        }
        out(`${key} ${context.window.start} ${[...ofWindow.get()]} ${[...ofKey.get()]}`)
        return [`at ${context.currentWatermark()}`]
      }
      clear(context: ProcessWindowContext): void {
        calls.push(`clear ${context.window.start} ${[...context.windowState.getListState(LAST).get()]}`)
      }
      close(): void {
        calls.push('close')
      }
    }
    for (const allowedLatenessMs of [0, 50]) {
      calls.length = 0
      const options = {
        assigner: TumblingEventTimeWindows.of(100),
        allowedLatenessMs,
        output: { type: 'process', function: new Everything() as never },
      } as const
      const harness = await open<TimeWindow>(options)
      harness.push(a(1), 10)
      harness.push(a(2), 110)
      harness.advance(99)
      harness.advance(250)
      expect(harness.values()).toEqual(['a 0 1 1', 'at 99', 'a 100 2 1,2', 'at 250'])
      await harness.operator.close?.()
      expect(calls).toEqual(['open 0', 'clear 0 1', 'clear 100 2', 'close'])
      // Only the state of the key is left.
      expect((await harness.snapshot(1)).keyed).toEqual({
        states: [expect.objectContaining({ name: 'values' })],
        timers: [],
      })
    }
  })

  test("Flink's RichWindowFunction: state of the key by getRuntimeContext", async () => {
    class Total extends RichWindowFunction<Reading, string, string> {
      apply(key: string, window: TimeWindow, elements: readonly Reading[], out: Collector<string>): void {
        const values = this.getRuntimeContext().getListState(LAST)
        values.addAll(elements.map(element => element.value))
        out(`${key} ${window.start} ${[...values.get()]}`)
      }
    }
    const total = new Total()
    expect(() => total.getRuntimeContext()).toThrow(/Total asks for its runtime context before it is opened/)
    const harness = await open({
      assigner: TumblingEventTimeWindows.of(100),
      output: { type: 'apply', function: total as never },
    })
    for (const time of [10, 110, 120]) harness.push(a(time), time)
    harness.advance(1000)
    expect(harness.values()).toEqual(['a 0 10', 'a 100 10,110,120'])
  })

  test('process functions: windows that merge have no state of their own', async () => {
    const harness = await open({
      assigner: EventTimeSessionWindows.withGap(10),
      output: {
        type: 'process',
        function: { process: (_key, context) => void context.windowState.getListState(LAST) },
      },
    })
    harness.push(a(1), 1)
    expect(() => harness.advance(100)).toThrow(/'values' of a window, but its windows merge.*globalState/)
  })
})

describe('errors', () => {
  test.each([
    () => CountTrigger.of(0),
    () => CountEvictor.of(-1),
    () => DeltaTrigger.of(Number.NaN, () => 1),
    () => DeltaEvictor.of(1, undefined as never),
    () => TumblingEventTimeWindows.of('1 s', 0, 'SOMEHOW' as never),
    () => SlidingEventTimeWindows.of('10 s', '1 s', '1 s'),
    () => SlidingEventTimeWindows.of('10 s', 0),
    () => EventTimeSessionWindows.withGap(0),
    () => ContinuousEventTimeTrigger.of(0),
    () => ProcessingTimeoutTrigger.of(ProcessingTimeTrigger.create(), 0),
  ])('%s is refused', call => {
    expect(call).toThrow(/(\.of|\.withGap)( \(.*\))?(: | got )/)
  })

  test('a gap that is no time names the record', async () => {
    const harness = await open({ assigner: EventTimeSessionWindows.withDynamicGap<Reading>(() => -1) })
    expect(() => harness.push(a(77), 1)).toThrow(/gap of a session is -1 for record .*77/)
  })

  test('state of other windows is refused, in both directions', async () => {
    const aligned = { assigner: TumblingEventTimeWindows.of(100) }
    const late = { ...aligned, allowedLatenessMs: 10 }
    for (const [before, after] of [
      [aligned, late],
      [late, aligned],
      [aligned, { assigner: TumblingEventTimeWindows.of(50) }],
    ] as const) {
      const harness = await open<TimeWindow>(before)
      harness.push(a(1), 1)
      const restored = await harness.snapshot(1)
      const second = new OperatorHarness(factoryOf<TimeWindow>(after), { restored })
      await expect(second.open()).rejects.toThrow(/holds windows of the kind .* give the operator a new uid/)
    }
  })
})

test('staggered windows begin at other times, but have the same size', async () => {
  for (const stagger of ['RANDOM', 'NATURAL'] as const) {
    const harness = await open({ assigner: TumblingEventTimeWindows.of(1000, 0, stagger) })
    harness.clock.advance(123)
    for (const time of [0, 500, 1000, 2500]) harness.push(a(time), time)
    harness.advance(MAX_WATERMARK)
    const bounds = (harness.values() as string[]).map(text =>
      /\[(-?\d+),(-?\d+)\)/.exec(text)?.slice(1).map(Number),
    )
    for (const [start = 0, end = 0] of bounds as number[][]) {
      expect(end - start).toBe(1000)
      expect(((start % 1000) + 1000) % 1000).toBe((((bounds[0]?.[0] ?? 0) % 1000) + 1000) % 1000)
    }
  }
})

test('a million windows fire in slices', async () => {
  let asked = 0
  const factory = factoryOf({ assigner: TumblingEventTimeWindows.of(1), allowedLatenessMs: 1 })
  const harness = await new OperatorHarness(factory, { shouldYield: () => ++asked % 2 === 0 }).open()
  const windows = 20_000
  for (let i = 0; i < windows; i++) harness.push(a(i), i)
  let slices = 1
  while (!harness.step(MAX_WATERMARK)) {
    slices++
    expect(harness.emitted.length).toBeLessThanOrEqual(slices * 128)
  }
  expect(harness.emitted.length).toBe(windows)
  expect(slices).toBeGreaterThan(windows / 256)
})
