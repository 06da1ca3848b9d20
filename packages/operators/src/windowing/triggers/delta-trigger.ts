import { ValueStateDescriptor } from '@flink-ts/state'
import { InvalidArgument } from '../../errors.ts'
import type { Window } from '../time-window.ts'
import { Trigger, type TriggerContext, type TriggerResult } from './trigger.ts'

/** How far two records are apart. */
export type DeltaFunction<T> = ((before: T, now: T) => number) | { getDelta(before: T, now: T): number }

/** @throws operators.invalid-argument */
export function deltaOf<T>(
  what: string,
  threshold: number,
  deltaFunction: DeltaFunction<T>,
): (before: T, now: T) => number {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw InvalidArgument({ what: `${what} (threshold)`, value: String(threshold), expected: 'a number' })
  }
  if (typeof deltaFunction === 'function') return deltaFunction
  if (typeof deltaFunction?.getDelta === 'function')
    return (before, now) => deltaFunction.getDelta(before, now)
  throw InvalidArgument({
    what: `${what} (delta function)`,
    value: String(deltaFunction),
    expected: 'a function, or an object with the method getDelta',
  })
}

/**
 * Fires with a record that is further than the threshold from the one remembered, and remembers it instead. The first
 * record is only remembered.
 * @example DeltaTrigger.of(50, (before: Reading, now) => Math.abs(now.value - before.value))
 */
export class DeltaTrigger<T> extends Trigger<T, Window> {
  readonly #threshold: number
  readonly #delta: (before: T, now: T) => number
  readonly #last = new ValueStateDescriptor<T>('last-element')

  private constructor(threshold: number, delta: (before: T, now: T) => number) {
    super()
    this.#threshold = threshold
    this.#delta = delta
  }

  /** @throws operators.invalid-argument */
  static of<T>(threshold: number, deltaFunction: DeltaFunction<T>): DeltaTrigger<T> {
    return new DeltaTrigger(threshold, deltaOf('DeltaTrigger.of', threshold, deltaFunction))
  }

  onElement(value: T, _timestamp: number, _window: Window, context: TriggerContext): TriggerResult {
    const last = context.getPartitionedState(this.#last)
    const before = last.value()
    if (before !== undefined && !(this.#delta(before, value) > this.#threshold)) return 'CONTINUE'
    last.update(value)
    return before === undefined ? 'CONTINUE' : 'FIRE'
  }

  onEventTime(): TriggerResult {
    return 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(_window: Window, context: TriggerContext): void {
    context.getPartitionedState(this.#last).clear()
  }
}
