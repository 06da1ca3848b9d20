import { readFileSync } from 'node:fs'
import { ValueStateDescriptor } from '@flink-ts/state'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import type { Collector } from '../functions/collector.ts'
import { OutputTag } from '../functions/collector.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { GlobalWindows } from './assigners/global-windows.ts'
import { EventTimeSessionWindows } from './assigners/session-windows.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import { windowOperator } from './create-window-operator.ts'
import { CountEvictor } from './evictors/built-in-evictors.ts'
import { TimeWindow, type Window } from './time-window.ts'
import { ContinuousEventTimeTrigger } from './triggers/continuous-triggers.ts'
import { CountTrigger } from './triggers/count-trigger.ts'
import { DeltaTrigger } from './triggers/delta-trigger.ts'
import { PurgingTrigger } from './triggers/purging-trigger.ts'
import { EventTimeTrigger } from './triggers/time-triggers.ts'
import { Trigger, type TriggerContext, type TriggerResult } from './triggers/trigger.ts'
import type { ProcessWindowContext, ProcessWindowFunction } from './window-functions.ts'
import type { WindowOptions } from './window-options.ts'

/** Input of the golden jobs. */
interface GoldenElement {
  readonly id: string
  readonly key: string
  readonly ts: number
  readonly value: number
}

/** Output of the golden jobs. */
interface GoldenEvent {
  readonly type: string
  readonly key?: string
  readonly ids?: readonly string[]
  readonly watermark?: number | 'MAX' | 'MIN'
  readonly [field: string]: unknown
}

const time = (at: number): number | 'MAX' | 'MIN' =>
  at >= MAX_WATERMARK ? 'MAX' : at <= Number.MIN_SAFE_INTEGER ? 'MIN' : at

const bounds = (window: Window): object =>
  window instanceof TimeWindow ? { start: window.start, end: window.end } : { window: 'global' }

/** The function that all jobs have. */
class Report implements ProcessWindowFunction<GoldenElement, unknown, string, Window> {
  process(
    key: string,
    context: ProcessWindowContext<Window>,
    elements: readonly GoldenElement[],
    out: Collector<unknown>,
  ): void {
    out(this.report(key, context, elements))
  }

  protected report(key: string, context: ProcessWindowContext<Window>, elements: readonly GoldenElement[]) {
    return {
      type: 'fire',
      key,
      ...bounds(context.window),
      count: elements.length,
      sum: elements.reduce((sum, element) => sum + element.value, 0),
      ids: elements.map(element => element.id),
      watermark: time(context.currentWatermark()),
    }
  }
}

const FIRINGS = new ValueStateDescriptor<number>('firings', 0)

/** Counts firings of the window and of the key. */
class CountingReport extends Report {
  override process(
    key: string,
    context: ProcessWindowContext<Window>,
    elements: readonly GoldenElement[],
    out: Collector<unknown>,
  ): void {
    const [firingOfWindow, firingOfKey] = [context.windowState, context.globalState].map(store => {
      const firings = store.getState(FIRINGS)
      firings.update((firings.value() as number) + 1)
      return firings.value()
    })
    out({ ...this.report(key, context, elements), firingOfWindow, firingOfKey })
  }

  clear(context: ProcessWindowContext<Window>): void {
    context.output(new OutputTag('clears'), {
      type: 'clear',
      ...bounds(context.window),
      firings: context.windowState.getState(FIRINGS).value(),
      watermark: time(context.currentWatermark()),
    })
  }
}

/** As `tumbling_custom_big_value` describes it. */
class BigValue extends Trigger<GoldenElement, TimeWindow> {
  onElement(
    element: GoldenElement,
    _timestamp: number,
    window: TimeWindow,
    context: TriggerContext,
  ): TriggerResult {
    if (window.maxTimestamp() <= context.currentWatermark()) return 'FIRE'
    context.registerEventTimeTimer(window.maxTimestamp())
    return element.value >= 80 ? 'FIRE' : 'CONTINUE'
  }

  onEventTime(at: number, window: TimeWindow): TriggerResult {
    return at === window.maxTimestamp() ? 'FIRE_AND_PURGE' : 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(window: TimeWindow, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestamp())
  }
}

type Options<W extends Window> = WindowOptions<string, GoldenElement, W>

const windows = <W extends Window>(
  options: Partial<Options<W>> & Pick<Options<W>, 'assigner'>,
): Options<Window> =>
  ({
    keySelector: (element: GoldenElement) => element.key,
    aggregation: { type: 'list' },
    output: { type: 'process', function: new Report() },
    lateTag: 'late',
    ...options,
  }) as unknown as Options<Window>

const tumbling = TumblingEventTimeWindows.of('10 s')
const session = EventTimeSessionWindows.withGap('3 s')
const global = GlobalWindows.create()

/** The jobs of `windows.json` and `triggers.json`, by name. */
const goldenWindows: Readonly<Record<string, Options<Window>>> = {
  tumbling_no_lateness: windows({ assigner: tumbling }),
  tumbling_lateness_5s: windows({ assigner: tumbling, allowedLatenessMs: 5000 }),
  tumbling_offset_3s_lateness_1s: windows({
    assigner: TumblingEventTimeWindows.of('10 s', '3 s'),
    allowedLatenessMs: 1000,
  }),
  sliding_10s_4s_lateness_3s: windows({
    assigner: SlidingEventTimeWindows.of('10 s', '4 s'),
    allowedLatenessMs: 3000,
  }),
  session_3s_no_lateness: windows({ assigner: session }),
  session_3s_lateness_4s: windows({ assigner: session, allowedLatenessMs: 4000 }),
  tumbling_purging_event_time_lateness_5s: windows({
    assigner: tumbling,
    trigger: PurgingTrigger.of(EventTimeTrigger.create()),
    allowedLatenessMs: 5000,
  }),
  tumbling_window_state_and_clear: windows({
    assigner: tumbling,
    allowedLatenessMs: 5000,
    lateTag: undefined,
    output: { type: 'process', function: new CountingReport() as never },
  }),
  window_all_5s_lateness_2s: windows({
    assigner: TumblingEventTimeWindows.of('5 s'),
    allowedLatenessMs: 2000,
    keySelector: () => '',
    output: {
      type: 'apply',
      function: (_key, window, elements, out) =>
        out({
          type: 'fire',
          start: window.start,
          end: window.end,
          count: elements.length,
          sum: (elements as GoldenElement[]).reduce((sum, element) => sum + element.value, 0),
          ids: (elements as GoldenElement[]).map(element => element.id),
        }),
    },
  }),
  negative_timestamps_tumbling: windows({ assigner: tumbling }),
  tumbling_count_3: windows({ assigner: tumbling, trigger: CountTrigger.of(3) }),
  tumbling_purging_count_3: windows({ assigner: tumbling, trigger: PurgingTrigger.of(CountTrigger.of(3)) }),
  session_count_2: windows({ assigner: session, trigger: CountTrigger.of(2) }),
  tumbling_continuous_event_time_3s: windows({
    assigner: tumbling,
    trigger: ContinuousEventTimeTrigger.of('3 s'),
  }),
  global_continuous_event_time_5s: windows({
    assigner: global,
    trigger: ContinuousEventTimeTrigger.of('5 s'),
  }),
  global_default_trigger: windows({ assigner: global }),
  global_count_4: windows({ assigner: global, trigger: CountTrigger.of(4) }),
  count_window_4: windows({ assigner: global, trigger: PurgingTrigger.of(CountTrigger.of(4)) }),
  global_delta_50: windows({
    assigner: global,
    trigger: DeltaTrigger.of(50, (before: GoldenElement, now) => Math.abs(now.value - before.value)),
  }),
  tumbling_custom_big_value: windows({
    assigner: tumbling,
    trigger: new BigValue(),
    allowedLatenessMs: 5000,
  }),
  tumbling_count_evictor_3: windows({
    assigner: tumbling,
    evictor: CountEvictor.of(3),
    allowedLatenessMs: 5000,
  }),
  global_count_3_count_evictor_2_after: windows({
    assigner: global,
    trigger: CountTrigger.of(3),
    evictor: CountEvictor.of(2, true),
  }),
}

interface Golden {
  input: GoldenElement[]
  jobs: { name: string; input?: GoldenElement[]; output: GoldenEvent[] }[]
}
const read = (file: string): Golden =>
  JSON.parse(readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8')) as Golden

/** Runs a job as its description says: a watermark after each element that raises the maximum. */
async function run(
  factory: OperatorFactory,
  input: readonly GoldenElement[],
  options: { restoreAt?: number; yieldAlways?: boolean },
): Promise<GoldenEvent[]> {
  const shouldYield = () => options.yieldAlways === true
  let harness = await new OperatorHarness(factory, { shouldYield }).open()
  const events: GoldenEvent[] = []
  let watermark = Number.MIN_SAFE_INTEGER
  const collect = (): void => {
    for (const { value, timestamp } of harness.sideOutputs.get('late')?.splice(0) ?? []) {
      const { id, key } = value as GoldenElement
      events.push({ type: 'late', id, key, watermark: time(watermark), timestamp: time(timestamp) })
    }
    events.push(
      ...(harness.sideOutputs.get('clears')?.splice(0) ?? []).map(each => each.value as GoldenEvent),
    )
    for (const { value, timestamp } of harness.emitted.splice(0)) {
      events.push({ ...(value as GoldenEvent), timestamp: time(timestamp) })
    }
  }
  let highest = Number.NEGATIVE_INFINITY
  for (const [i, element] of input.entries()) {
    if (i === options.restoreAt) {
      const restored = await harness.snapshot(1)
      await harness.operator.close?.()
      harness = await new OperatorHarness(factory, { restored, shouldYield }).open()
      if (watermark > Number.MIN_SAFE_INTEGER) harness.advance(watermark)
    }
    harness.push(element, element.ts)
    collect()
    if (element.ts <= highest) continue
    highest = element.ts
    watermark = highest - 2000 - 1
    harness.advance(watermark)
    collect()
  }
  watermark = MAX_WATERMARK
  harness.advance(MAX_WATERMARK)
  collect()
  return events
}

const sorted = (events: readonly GoldenEvent[]): string[] =>
  events.map(event => JSON.stringify(event, Object.keys(event).sort())).sort()

/** Order of elements in a merged session is not promised. */
const comparable = (name: string, events: readonly GoldenEvent[]): string[] =>
  sorted(
    name.startsWith('session')
      ? events.map(event => (event.ids === undefined ? event : { ...event, ids: [...event.ids].sort() }))
      : events,
  )

describe.each(['windows.json', 'triggers.json'])('%s as in Flink', file => {
  const golden = read(file)
  test.each(golden.jobs)('$name', async job => {
    const input = job.input ?? golden.input
    const options = goldenWindows[job.name]
    if (options === undefined) throw new Error(`No job of the name ${job.name}`)
    const expected = (events: readonly GoldenEvent[]): GoldenEvent[] => {
      if (job.name !== 'global_continuous_event_time_5s') return [...events]
      // Flink fires it for ever at the end of the input; here each key fires once more.
      const atEnd = events.filter(event => event.watermark === 'MAX')
      expect(atEnd.map(event => event.key).sort()).toEqual(['a', 'b'])
      return events.filter(event => event.watermark !== 'MAX')
    }
    const results = expected(await run(windowOperator(options), input, {}))
    expect(comparable(job.name, results)).toEqual(comparable(job.name, job.output))
    // In the order of Flink for each key.
    for (const key of ['a', 'b']) {
      const ofKey = (events: readonly GoldenEvent[]) =>
        events.filter(event => event.key === key).map(({ ids: _ids, ...event }) => sorted([event])[0])
      expect(ofKey(results)).toEqual(ofKey(job.output))
    }
    for (let restoreAt = 0; restoreAt < input.length; restoreAt++) {
      const restored = expected(
        await run(windowOperator(options), input, { restoreAt, yieldAlways: restoreAt % 2 === 0 }),
      )
      expect(comparable(job.name, restored)).toEqual(comparable(job.name, job.output))
    }
  })
})
