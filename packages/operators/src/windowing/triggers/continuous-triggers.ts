import { ReducingStateDescriptor } from '@flink-ts/state'
import { MAX_WATERMARK } from '../../contract/stream-operator.ts'
import { type Duration, durationMs } from '../../functions/duration.ts'
import type { Window } from '../time-window.ts'
import { type OnMergeContext, Trigger, type TriggerContext, type TriggerResult } from './trigger.ts'

/** Time of the next firing of a window: the earliest of all that were merged. */
const NEXT_FIRING = new ReducingStateDescriptor<number>('fire-time', (a, b) => Math.min(a, b))

/**
 * Fires at each multiple of the interval in event time while the window has records, and at its end. A global window
 * fires a last time at the end of the input.
 */
export class ContinuousEventTimeTrigger extends Trigger<unknown, Window> {
  readonly #intervalMs: number

  private constructor(intervalMs: number) {
    super()
    this.#intervalMs = intervalMs
  }

  /** @throws operators.invalid-duration */
  static of(interval: Duration): ContinuousEventTimeTrigger {
    return new ContinuousEventTimeTrigger(durationMs(interval, 'ContinuousEventTimeTrigger.of', 1))
  }

  onElement(_value: unknown, timestamp: number, window: Window, context: TriggerContext): TriggerResult {
    if (window.maxTimestamp() <= context.currentWatermark()) return 'FIRE'
    context.registerEventTimeTimer(window.maxTimestamp())
    if (context.getPartitionedState(NEXT_FIRING).get() === undefined) {
      this.#scheduleAfter(timestamp - (timestamp % this.#intervalMs), window, context)
    }
    return 'CONTINUE'
  }

  onEventTime(time: number, window: Window, context: TriggerContext): TriggerResult {
    if (time === window.maxTimestamp()) return 'FIRE'
    const next = context.getPartitionedState(NEXT_FIRING)
    if (next.get() !== time) return 'CONTINUE'
    next.clear()
    // Such a window has no end to count towards: each firing would register one that is due at once, for ever.
    if (context.currentWatermark() >= MAX_WATERMARK && window.maxTimestamp() >= MAX_WATERMARK)
      return 'CONTINUE'
    this.#scheduleAfter(time, window, context)
    return 'FIRE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(_window: Window, context: TriggerContext): void {
    const next = context.getPartitionedState(NEXT_FIRING)
    const time = next.get()
    if (time !== undefined) context.deleteEventTimeTimer(time)
    next.clear()
  }

  override canMerge(): boolean {
    return true
  }

  override onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(NEXT_FIRING)
    const time = context.getPartitionedState(NEXT_FIRING).get()
    if (time !== undefined) context.registerEventTimeTimer(time)
  }

  #scheduleAfter(time: number, window: Window, context: TriggerContext): void {
    const next = Math.min(time + this.#intervalMs, window.maxTimestamp())
    context.getPartitionedState(NEXT_FIRING).add(next)
    context.registerEventTimeTimer(next)
  }
}

/** Fires at each multiple of the interval by the clock while the window has records. */
export class ContinuousProcessingTimeTrigger extends Trigger<unknown, Window> {
  readonly #intervalMs: number

  private constructor(intervalMs: number) {
    super()
    this.#intervalMs = intervalMs
  }

  /** @throws operators.invalid-duration */
  static of(interval: Duration): ContinuousProcessingTimeTrigger {
    return new ContinuousProcessingTimeTrigger(durationMs(interval, 'ContinuousProcessingTimeTrigger.of', 1))
  }

  onElement(_value: unknown, _timestamp: number, window: Window, context: TriggerContext): TriggerResult {
    if (context.getPartitionedState(NEXT_FIRING).get() === undefined) {
      const now = context.currentProcessingTime()
      this.#scheduleAfter(now - (now % this.#intervalMs), window, context)
    }
    return 'CONTINUE'
  }

  onEventTime(): TriggerResult {
    return 'CONTINUE'
  }

  onProcessingTime(time: number, window: Window, context: TriggerContext): TriggerResult {
    const next = context.getPartitionedState(NEXT_FIRING)
    if (next.get() !== time) return 'CONTINUE'
    next.clear()
    this.#scheduleAfter(time, window, context)
    return 'FIRE'
  }

  clear(_window: Window, context: TriggerContext): void {
    const next = context.getPartitionedState(NEXT_FIRING)
    const time = next.get()
    if (time !== undefined) context.deleteProcessingTimeTimer(time)
    next.clear()
  }

  override canMerge(): boolean {
    return true
  }

  override onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(NEXT_FIRING)
    const time = context.getPartitionedState(NEXT_FIRING).get()
    if (time !== undefined) context.registerProcessingTimeTimer(time)
  }

  #scheduleAfter(time: number, window: Window, context: TriggerContext): void {
    const next = Math.min(time + this.#intervalMs, window.maxTimestamp())
    context.getPartitionedState(NEXT_FIRING).add(next)
    context.registerProcessingTimeTimer(next)
  }
}
