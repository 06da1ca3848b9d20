import type { Window } from '../time-window.ts'
import { Trigger, type TriggerResult } from './trigger.ts'

/** Never fires, not even at the end of the input. */
export class NeverTrigger extends Trigger<unknown, Window> {
  static create(): NeverTrigger {
    return new NeverTrigger()
  }

  onElement(): TriggerResult {
    return 'CONTINUE'
  }

  onEventTime(): TriggerResult {
    return 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'CONTINUE'
  }

  clear(): void {}

  override canMerge(): boolean {
    return true
  }

  override onMerge(): void {}
}
