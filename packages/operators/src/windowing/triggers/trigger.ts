import type { ListStateDescriptor, ReducingStateDescriptor } from '@flink-ts/state'
import { TriggerCannotMerge } from '../../errors.ts'
import type { StateGetter } from '../keyed-state-store.ts'
import type { Window } from '../time-window.ts'

/** What happens with a window: `FIRE` emits it, `PURGE` drops its contents, but neither its timers nor its state. */
export type TriggerResult = 'CONTINUE' | 'FIRE' | 'PURGE' | 'FIRE_AND_PURGE'
/** Flink's way to write them. */
export const TriggerResult = {
  CONTINUE: 'CONTINUE',
  FIRE: 'FIRE',
  PURGE: 'PURGE',
  FIRE_AND_PURGE: 'FIRE_AND_PURGE',
} as const

/** Whether a result emits the window. */
export const isFire = (result: TriggerResult): boolean => result === 'FIRE' || result === 'FIRE_AND_PURGE'
/** Whether a result drops the contents of the window. */
export const isPurge = (result: TriggerResult): boolean => result === 'PURGE' || result === 'FIRE_AND_PURGE'

/** Surroundings of a trigger: time, timers and state of one key and window. Valid only during the call. */
export interface TriggerContext {
  currentWatermark(): number
  currentProcessingTime(): number
  /** Has `onEventTime` called for this key and window. One timer for each time, however often asked. */
  registerEventTimeTimer(timestamp: number): void
  deleteEventTimeTimer(timestamp: number): void
  registerProcessingTimeTimer(timestamp: number): void
  deleteProcessingTimeTimer(timestamp: number): void
  /** State of this key and window. It ends with the window. */
  readonly getPartitionedState: StateGetter
}

/** {@link TriggerContext} while windows merge. */
export interface OnMergeContext extends TriggerContext {
  /** Adds the state of the windows that were merged to that of the new one. */
  mergePartitionedState<T>(descriptor: ReducingStateDescriptor<T> | ListStateDescriptor<T>): void
}

/**
 * Decides when a window is emitted. One object serves all keys and windows: what it remembers belongs into
 * `getPartitionedState`.
 * @example class BigOrder extends Trigger<Order, TimeWindow> {
 *   onElement(order: Order, _timestamp: number, window: TimeWindow, context: TriggerContext): TriggerResult {
 *     context.registerEventTimeTimer(window.maxTimestamp())
 *     return order.value > 1000 ? 'FIRE' : 'CONTINUE'
 *   }
 *   onEventTime(): TriggerResult { return 'FIRE' }
 *   onProcessingTime(): TriggerResult { return 'CONTINUE' }
 *   clear(window: TimeWindow, context: TriggerContext) { context.deleteEventTimeTimer(window.maxTimestamp()) }
 * }
 */
export abstract class Trigger<T, W extends Window> {
  /** After a record was added to the window. @param timestamp NaN if the record has none */
  abstract onElement(value: T, timestamp: number, window: W, context: TriggerContext): TriggerResult
  /** At a timer that this trigger registered, or at the end of the window's life. */
  abstract onEventTime(time: number, window: W, context: TriggerContext): TriggerResult
  abstract onProcessingTime(time: number, window: W, context: TriggerContext): TriggerResult
  /** At the end of the window's life: delete timers. */
  abstract clear(window: W, context: TriggerContext): void

  /** Whether it can be used with windows that merge: sessions. */
  canMerge(): boolean {
    return false
  }

  /** `window` takes the place of others: register the timers that it needs. Those others are cleared afterwards. */
  onMerge(_window: W, _context: OnMergeContext): void {
    throw TriggerCannotMerge({ trigger: this.constructor.name })
  }
}
