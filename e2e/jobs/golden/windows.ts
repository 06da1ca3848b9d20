// The jobs of the golden files for windows, triggers and timers, by name.
import {
  type Collector,
  ContinuousEventTimeTrigger,
  CountEvictor,
  CountTrigger,
  type DataStream,
  DeltaTrigger,
  EventTimeSessionWindows,
  EventTimeTrigger,
  GlobalWindows,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type KeyedStream,
  type OnTimerContext,
  OutputTag,
  type ProcessWindowContext,
  type ProcessWindowFunction,
  PurgingTrigger,
  type RuntimeContext,
  type SingleOutputStreamOperator,
  SlidingEventTimeWindows,
  type TimeWindow,
  Trigger,
  type TriggerContext,
  type TriggerResult,
  TumblingEventTimeWindows,
  type ValueState,
  ValueStateDescriptor,
  type Window,
  type WindowedStream,
} from 'flink-ts'
import { bounds, type Element, ms, Report, shown, summary } from './elements.ts'

const FIRINGS = new ValueStateDescriptor<number>('firings', 0)
export const CLEARS = new OutputTag<object>('clears')

class CountingReport implements ProcessWindowFunction<Element, object, string, TimeWindow> {
  process(
    key: string,
    context: ProcessWindowContext,
    elements: readonly Element[],
    out: Collector<object>,
  ): void {
    const [firingOfWindow, firingOfKey] = [context.windowState, context.globalState].map(store => {
      const firings = store.getState(FIRINGS)
      firings.update((firings.value() ?? 0) + 1)
      return firings.value()
    })
    const watermark = shown(context.currentWatermark())
    out({
      ...{ type: 'fire', key, ...bounds(context.window), ...summary(elements), watermark },
      ...{ firingOfWindow, firingOfKey },
    })
  }

  clear(context: ProcessWindowContext): void {
    const firings = context.windowState.getState(FIRINGS).value()
    const watermark = shown(context.currentWatermark())
    context.output(CLEARS, { type: 'clear', ...bounds(context.window), firings, watermark })
  }
}

class BigValue extends Trigger<Element, TimeWindow> {
  onElement(element: Element, _time: number, window: TimeWindow, context: TriggerContext): TriggerResult {
    if (window.maxTimestamp() <= context.currentWatermark()) return 'FIRE'
    context.registerEventTimeTimer(window.maxTimestamp())
    return element.value >= 80 ? 'FIRE' : 'CONTINUE'
  }

  onEventTime(time: number, window: TimeWindow): TriggerResult {
    return time === window.maxTimestamp() ? 'FIRE_AND_PURGE' : 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(window: TimeWindow, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestamp())
  }
}

const COUNT = new ValueStateDescriptor<number>('count', 0)
const REPEATED = new ValueStateDescriptor<boolean>('repeated', false)

class Timers implements KeyedProcessFunction<string, Element, object> {
  #count!: ValueState<number>
  #repeated!: ValueState<boolean>

  open(context: RuntimeContext): void {
    this.#count = context.getState(COUNT)
    this.#repeated = context.getState(REPEATED)
  }

  processElement(element: Element, context: KeyedProcessContext<string>, out: Collector<object>): void {
    this.#count.update((this.#count.value() ?? 0) + 1)
    out({ type: 'out', event: 'element', id: element.id, ...this.#seen(context) })
    for (const [op, time] of element.ops ?? []) {
      if (op === 'register') context.timerService.registerEventTimeTimer(ms(time))
      else context.timerService.deleteEventTimeTimer(ms(time))
    }
  }

  onTimer(time: number, context: OnTimerContext<string>, out: Collector<object>): void {
    out({ type: 'out', event: 'timer', timer: shown(time), ...this.#seen(context) })
    const timers = context.timerService
    if (time === 4000) timers.deleteEventTimeTimer(4002)
    if (time % 1000 === 500 && time < 20000) timers.registerEventTimeTimer(time + 1000)
    if (time % 1000 === 1) {
      timers.registerEventTimeTimer(time - 700)
      if (time % 5000 === 1 && this.#repeated.value() !== true) {
        this.#repeated.update(true)
        timers.registerEventTimeTimer(time)
      }
    }
    if (time === 13002) {
      timers.deleteEventTimeTimer(13100)
      this.#count.clear()
    }
  }

  #seen(context: KeyedProcessContext<string>): object {
    const watermark = shown(context.timerService.currentWatermark())
    return { key: context.currentKey, watermark, elementsOfKey: this.#count.value() }
  }
}

type Keyed = KeyedStream<Element, string>
type Result = SingleOutputStreamOperator<object>
export const LATE = new OutputTag<Element>('late')
const report = <W extends Window>(windows: WindowedStream<Element, string, W>): Result =>
  windows.sideOutputLateData(LATE).process<object>(new Report())
const tumbling = (keyed: Keyed) => keyed.window(TumblingEventTimeWindows.of('10 s'))
const sessions = (keyed: Keyed) => keyed.window(EventTimeSessionWindows.withGap('3 s'))
const global = (keyed: Keyed) => keyed.window(GlobalWindows.create())

export const windows: Readonly<Record<string, (keyed: Keyed, elements: DataStream<Element>) => Result>> = {
  tumbling_no_lateness: keyed => report(keyed.timeWindow('10 s')),
  tumbling_lateness_5s: keyed => report(tumbling(keyed).allowedLateness('5 s')),
  tumbling_offset_3s_lateness_1s: keyed =>
    report(keyed.window(TumblingEventTimeWindows.of('10 s', '3 s')).allowedLateness('1 s')),
  sliding_10s_4s_lateness_3s: keyed =>
    report(keyed.window(SlidingEventTimeWindows.of('10 s', '4 s')).allowedLateness('3 s')),
  session_3s_no_lateness: keyed => report(sessions(keyed)),
  session_3s_lateness_4s: keyed => report(sessions(keyed).allowedLateness('4 s')),
  tumbling_purging_event_time_lateness_5s: keyed =>
    report(tumbling(keyed).trigger(PurgingTrigger.of(EventTimeTrigger.create())).allowedLateness('5 s')),
  tumbling_window_state_and_clear: keyed =>
    tumbling(keyed).allowedLateness('5 s').process<object>(new CountingReport()),
  window_all_5s_lateness_2s: (_keyed, elements) =>
    elements
      .windowAll(TumblingEventTimeWindows.of('5 s'))
      .allowedLateness('2 s')
      .sideOutputLateData(LATE)
      .apply<object>((window, all, out) => out({ type: 'fire', ...bounds(window), ...summary(all) })),
  negative_timestamps_tumbling: keyed => report(tumbling(keyed)),
  tumbling_count_3: keyed => report(tumbling(keyed).trigger(CountTrigger.of(3))),
  tumbling_purging_count_3: keyed => report(tumbling(keyed).trigger(PurgingTrigger.of(CountTrigger.of(3)))),
  session_count_2: keyed => report(sessions(keyed).trigger(CountTrigger.of(2))),
  tumbling_continuous_event_time_3s: keyed =>
    report(tumbling(keyed).trigger(ContinuousEventTimeTrigger.of('3 s'))),
  global_continuous_event_time_5s: keyed =>
    report(global(keyed).trigger(ContinuousEventTimeTrigger.of('5 s'))),
  global_default_trigger: keyed => report(global(keyed)),
  global_count_4: keyed => report(global(keyed).trigger(CountTrigger.of(4))),
  count_window_4: keyed => report(keyed.countWindow(4)),
  global_delta_50: keyed =>
    report(
      global(keyed).trigger(
        DeltaTrigger.of(50, (before: Element, now) => Math.abs(now.value - before.value)),
      ),
    ),
  tumbling_custom_big_value: keyed => report(tumbling(keyed).trigger(new BigValue()).allowedLateness('5 s')),
  tumbling_count_evictor_3: keyed =>
    report(tumbling(keyed).evictor(CountEvictor.of(3)).allowedLateness('5 s')),
  global_count_3_count_evictor_2_after: keyed =>
    report(global(keyed).trigger(CountTrigger.of(3)).evictor(CountEvictor.of(2, true))),
  timers: keyed => keyed.process<object>(new Timers()),
}
