import { MAX_WATERMARK, type OperatorContext } from '../contract/stream-operator.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import type { MergingWindow } from './merging-windows.ts'
import { TimeWindow } from './time-window.ts'
import { TriggerCalls } from './trigger-calls.ts'
import { EventTimeTrigger } from './triggers/time-triggers.ts'
import type { Trigger, TriggerResult } from './triggers/trigger.ts'
import type { WindowNames } from './window-names.ts'

/** What the operator does with a window of a key whose time has come. */
interface MergingWindowActions {
  /** The windows of the backend's current key; undefined: there are none. */
  windows(): MergingWindow[] | undefined
  act(result: TriggerResult, window: MergingWindow, bounds: TimeWindow): void
  /** The life of a window, one of `windows`, is over. */
  end(windows: MergingWindow[], window: MergingWindow, bounds: TimeWindow): void
}

/** When windows that merge are emitted, and when they end. All calls are for the backend's current key. */
interface MergingWindowLife<T> {
  readonly timers: InternalTimerService
  /** `result` takes the place of `merged`. Returns the timer that is pending for it. */
  merge(result: TimeWindow, merged: readonly MergingWindow[]): number | undefined
  /** A record was added. */
  added(value: T, time: number, window: MergingWindow, bounds: TimeWindow): TriggerResult
}

/** What both kinds need. */
export interface MergingLifeOptions<T> {
  readonly trigger: Trigger<T, TimeWindow>
  readonly isEventTime: boolean
  readonly cleanupTime: (window: TimeWindow) => number
  readonly names: WindowNames<TimeWindow>
  readonly actions: MergingWindowActions
}

/** Whether {@link PlainLife} will do. */
export function isPlain<T>({
  trigger,
  isEventTime,
}: Pick<MergingLifeOptions<T>, 'trigger' | 'isEventTime'>): boolean {
  return isEventTime && Object.getPrototypeOf(trigger) === EventTimeTrigger.prototype
}

/**
 * Windows that fire at their end. There is a timer at or before the next turn of each window's life: one that is early
 * finds that the window has grown, and is set anew. So a session of a thousand records costs a few timers, not a
 * thousand, and merging touches none.
 */
export class PlainLife<T> implements MergingWindowLife<T> {
  readonly timers: InternalTimerService
  readonly #options: MergingLifeOptions<T>

  constructor(context: OperatorContext, options: MergingLifeOptions<T>) {
    this.#options = options
    this.timers = new InternalTimerService(context, 'window-timers', {
      eventTime: timestamp => this.#due(timestamp),
      processingTime: () => {},
    })
  }

  merge(_result: TimeWindow, merged: readonly MergingWindow[]): number | undefined {
    let first: number | undefined
    for (const { timer } of merged) {
      if (timer !== undefined && (first === undefined || timer < first)) first = timer
    }
    return first
  }

  added(_value: T, _time: number, window: MergingWindow, bounds: TimeWindow): TriggerResult {
    const watermark = this.timers.currentWatermark()
    this.#schedule(window, bounds, watermark)
    return bounds.maxTimestamp() <= watermark ? 'FIRE' : 'CONTINUE'
  }

  #due(timestamp: number): void {
    const { actions, cleanupTime } = this.#options
    const windows = actions.windows()
    if (windows === undefined) return
    // Backwards: a window whose life ends is removed.
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i] as MergingWindow
      if (window.timer !== timestamp) continue
      const bounds = new TimeWindow(window.start, window.end)
      window.timer = undefined
      const over = cleanupTime(bounds) === timestamp
      if (bounds.maxTimestamp() === timestamp) actions.act(over ? 'FIRE_AND_PURGE' : 'FIRE', window, bounds)
      if (over) actions.end(windows, window, bounds)
      else this.#schedule(window, bounds, timestamp)
    }
  }

  /** Sees to a timer at or before what comes next after `now`. */
  #schedule(window: MergingWindow, bounds: TimeWindow, now: number): void {
    const last = bounds.maxTimestamp()
    const next = last > now ? last : this.#options.cleanupTime(bounds)
    if ((window.timer !== undefined && window.timer <= next) || next >= MAX_WATERMARK) return
    window.timer = next
    this.timers.registerEventTime(undefined, next)
  }
}

/** Windows whose trigger decides: it has timers and state for each window, which move when windows merge. */
export class TriggeredLife<T> implements MergingWindowLife<T> {
  readonly timers: InternalTimerService
  readonly #options: MergingLifeOptions<T>
  readonly #trigger: TriggerCalls<T, TimeWindow>

  constructor(context: OperatorContext, options: MergingLifeOptions<T>) {
    this.#options = options
    this.timers = new InternalTimerService(context, 'window-timers', {
      eventTime: (timestamp, namespace) => this.#due(true, timestamp, namespace as string),
      processingTime: (timestamp, namespace) => this.#due(false, timestamp, namespace as string),
    })
    this.#trigger = new TriggerCalls(context, options.trigger, this.timers)
  }

  merge(result: TimeWindow, merged: readonly MergingWindow[]): undefined {
    const { isEventTime, cleanupTime } = this.#options
    this.#trigger.at(nameOf(result))
    this.#trigger.onMerge(result, merged.map(nameOf))
    for (const { start, end } of merged) {
      const old = new TimeWindow(start, end)
      const name = nameOf(old)
      this.#trigger.at(name)
      this.#trigger.clear(old)
      if (isEventTime) this.timers.deleteEventTime(name, cleanupTime(old))
      else this.timers.deleteProcessingTime(name, cleanupTime(old))
    }
  }

  added(value: T, time: number, _window: MergingWindow, bounds: TimeWindow): TriggerResult {
    const name = nameOf(bounds)
    this.#trigger.at(name)
    const result = this.#trigger.onElement(value, time, bounds)
    const cleanup = this.#options.cleanupTime(bounds)
    if (cleanup >= MAX_WATERMARK) return result
    if (this.#options.isEventTime) this.timers.registerEventTime(name, cleanup)
    else this.timers.registerProcessingTime(name, cleanup)
    return result
  }

  #due(eventTime: boolean, timestamp: number, name: string): void {
    const { actions, names, isEventTime, cleanupTime } = this.#options
    const bounds = names.window(name)
    const windows = actions.windows()
    const window = windows?.find(({ start, end }) => start === bounds.start && end === bounds.end)
    // A trigger may leave timers of windows that were merged.
    if (windows === undefined || window === undefined) return
    this.#trigger.at(name)
    const result = eventTime
      ? this.#trigger.onEventTime(timestamp, bounds)
      : this.#trigger.onProcessingTime(timestamp, bounds)
    if (result !== 'CONTINUE') actions.act(result, window, bounds)
    if (eventTime !== isEventTime || timestamp !== cleanupTime(bounds)) return
    this.#trigger.clear(bounds)
    actions.end(windows, window, bounds)
  }
}

const nameOf = ({ start, end }: { readonly start: number; readonly end: number }): string => `${start},${end}`
