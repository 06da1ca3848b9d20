import type { TimeWindow, Window, WindowSerializer } from '../time-window.ts'
import type { Trigger } from '../triggers/trigger.ts'

/** Surroundings of a window assigner. */
export interface WindowAssignerContext {
  currentProcessingTime(): number
}

/**
 * Decides which windows a record belongs to. One of your own: a class that implements this; windows that are neither
 * `TimeWindow` nor `GlobalWindow` need a `windowSerializer` as well.
 * @example class Fiscal implements WindowAssigner<Sale, TimeWindow> {
 *   readonly isEventTime = true
 *   assignWindows(sale: Sale, timestamp: number) { return [quarterOf(timestamp)] }
 *   getDefaultTrigger() { return EventTimeTrigger.create() }
 * }
 */
export interface WindowAssigner<T, W extends Window> {
  /** Whether windows end by the watermark; false: by the clock, or never. */
  readonly isEventTime: boolean
  /** @param timestamp of the record; NaN for none, which cannot be in event time */
  assignWindows(value: T, timestamp: number, context: WindowAssignerContext): readonly W[]
  getDefaultTrigger(): Trigger<T, W>
  readonly windowSerializer?: WindowSerializer<W>
}

/** Windows that grow together: sessions. Only windows of time can merge. */
export interface MergingWindowAssigner<T> extends WindowAssigner<T, TimeWindow> {
  /** Calls `merge` for each group of at least two windows that become one. */
  mergeWindows(
    windows: readonly TimeWindow[],
    merge: (merged: readonly TimeWindow[], result: TimeWindow) => void,
  ): void
}

/** Whether windows of the assigner merge. */
export function isMerging(assigner: object): boolean {
  return typeof (assigner as Partial<MergingWindowAssigner<unknown>>).mergeWindows === 'function'
}
