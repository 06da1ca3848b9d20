import { ReducingStateDescriptor } from '@flink-ts/state'
import { InvalidArgument } from '../../errors.ts'
import type { Window } from '../time-window.ts'
import { type OnMergeContext, Trigger, type TriggerContext, type TriggerResult } from './trigger.ts'

const COUNT = new ReducingStateDescriptor<number>('count', (a, b) => a + b)

/** Fires with each `maxCount`-th record of a window; the end of the window does not fire. Counts of merged windows add up. */
export class CountTrigger extends Trigger<unknown, Window> {
  readonly #maxCount: number

  private constructor(maxCount: number) {
    super()
    this.#maxCount = maxCount
  }

  /** @throws operators.invalid-argument unless it is a whole number from 1 on */
  static of(maxCount: number): CountTrigger {
    if (!Number.isSafeInteger(maxCount) || maxCount < 1) {
      throw InvalidArgument({
        what: 'CountTrigger.of',
        value: String(maxCount),
        expected: 'a whole number from 1 on',
      })
    }
    return new CountTrigger(maxCount)
  }

  onElement(_value: unknown, _timestamp: number, _window: Window, context: TriggerContext): TriggerResult {
    const count = context.getPartitionedState(COUNT)
    count.add(1)
    if ((count.get() as number) < this.#maxCount) return 'CONTINUE'
    count.clear()
    return 'FIRE'
  }

  onEventTime(): TriggerResult {
    return 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(_window: Window, context: TriggerContext): void {
    context.getPartitionedState(COUNT).clear()
  }

  override canMerge(): boolean {
    return true
  }

  override onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(COUNT)
  }
}
