import { ValueStateDescriptor } from '@flink-ts/state'
import { type Duration, durationMs } from '../../functions/duration.ts'
import type { Window } from '../time-window.ts'
import { isFire, isPurge, Trigger, type TriggerContext, type TriggerResult } from './trigger.ts'

const TIMEOUT = new ValueStateDescriptor<number>('timeout')

/** How a {@link ProcessingTimeoutTrigger} differs from the default. */
export interface ProcessingTimeoutOptions {
  /** The time begins anew with each record; false if absent. */
  readonly resetTimerOnNewRecord?: boolean
  /** The other trigger forgets what it knows at the timeout; true if absent. */
  readonly shouldClearOnTimeout?: boolean
}

/**
 * As another trigger, but fires at the latest some time after a record, by the clock.
 * @example ProcessingTimeoutTrigger.of(CountTrigger.of(1000), '30 s')
 */
export class ProcessingTimeoutTrigger<T, W extends Window> extends Trigger<T, W> {
  readonly #nested: Trigger<T, W>
  readonly #timeoutMs: number
  readonly #options: ProcessingTimeoutOptions

  private constructor(nested: Trigger<T, W>, timeoutMs: number, options: ProcessingTimeoutOptions) {
    super()
    this.#nested = nested
    this.#timeoutMs = timeoutMs
    this.#options = options
  }

  /** @throws operators.invalid-duration */
  static of<T, W extends Window>(
    nested: Trigger<T, W>,
    timeout: Duration,
    options: ProcessingTimeoutOptions = {},
  ): ProcessingTimeoutTrigger<T, W> {
    return new ProcessingTimeoutTrigger(
      nested,
      durationMs(timeout, 'ProcessingTimeoutTrigger.of', 1),
      options,
    )
  }

  onElement(value: T, timestamp: number, window: W, context: TriggerContext): TriggerResult {
    const result = this.#nested.onElement(value, timestamp, window, context)
    if (isFire(result)) {
      this.clear(window, context)
      return result
    }
    const timeout = context.getPartitionedState(TIMEOUT)
    const current = timeout.value()
    if (current !== undefined && this.#options.resetTimerOnNewRecord !== true) return result
    if (current !== undefined) context.deleteProcessingTimeTimer(current)
    const next = context.currentProcessingTime() + this.#timeoutMs
    timeout.update(next)
    context.registerProcessingTimeTimer(next)
    return result
  }

  onEventTime(time: number, window: W, context: TriggerContext): TriggerResult {
    return this.#fired(this.#nested.onEventTime(time, window, context), window, context)
  }

  onProcessingTime(time: number, window: W, context: TriggerContext): TriggerResult {
    return this.#fired(this.#nested.onProcessingTime(time, window, context), window, context)
  }

  clear(window: W, context: TriggerContext): void {
    const timeout = context.getPartitionedState(TIMEOUT)
    const time = timeout.value()
    if (time !== undefined) context.deleteProcessingTimeTimer(time)
    timeout.clear()
    this.#nested.clear(window, context)
  }

  #fired(result: TriggerResult, window: W, context: TriggerContext): TriggerResult {
    if (this.#options.shouldClearOnTimeout !== false) this.clear(window, context)
    return isPurge(result) ? 'FIRE_AND_PURGE' : 'FIRE'
  }
}
