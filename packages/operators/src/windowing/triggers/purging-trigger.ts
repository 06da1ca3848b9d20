import type { Window } from '../time-window.ts'
import { type OnMergeContext, Trigger, type TriggerContext, type TriggerResult } from './trigger.ts'

/** As another trigger, but a window that fires is emptied. */
export class PurgingTrigger<T, W extends Window> extends Trigger<T, W> {
  readonly #nested: Trigger<T, W>

  private constructor(nested: Trigger<T, W>) {
    super()
    this.#nested = nested
  }

  /** @example PurgingTrigger.of(CountTrigger.of(100)) */
  static of<T, W extends Window>(nested: Trigger<T, W>): PurgingTrigger<T, W> {
    return new PurgingTrigger(nested)
  }

  onElement(value: T, timestamp: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.#nested.onElement(value, timestamp, window, context))
  }

  onEventTime(time: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.#nested.onEventTime(time, window, context))
  }

  onProcessingTime(time: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.#nested.onProcessingTime(time, window, context))
  }

  clear(window: W, context: TriggerContext): void {
    this.#nested.clear(window, context)
  }

  override canMerge(): boolean {
    return this.#nested.canMerge()
  }

  override onMerge(window: W, context: OnMergeContext): void {
    this.#nested.onMerge(window, context)
  }
}

const purging = (result: TriggerResult): TriggerResult => (result === 'FIRE' ? 'FIRE_AND_PURGE' : result)
