import type { OperatorContext } from '../contract/stream-operator.ts'
import { InvalidTriggerResult } from '../errors.ts'
import { describeValue, failureAtRecord, userFunctionFailure } from '../functions/user-function-failure.ts'
import type { InternalTimerService } from '../timers/internal-timer-service.ts'
import type { Window } from './time-window.ts'
import { type Trigger, TriggerResult } from './triggers/trigger.ts'
import { describeWindow } from './window-emission.ts'
import { WindowTriggerContext } from './window-trigger-context.ts'

/** Calls of one operator instance's trigger: its errors name it, its results are checked. */
export class TriggerCalls<T, W extends Window> {
  /** @throws user-function-failed, operators.invalid-trigger-result */
  readonly onElement: (value: T, timestamp: number, window: W) => TriggerResult
  readonly #context: OperatorContext
  readonly #trigger: Trigger<T, W>
  readonly #triggerContext: WindowTriggerContext

  constructor(context: OperatorContext, trigger: Trigger<T, W>, timers: InternalTimerService) {
    this.#context = context
    this.#trigger = trigger
    this.#triggerContext = new WindowTriggerContext(context, timers)
    this.onElement = context.generate<TriggerCalls<T, W>['onElement']>(
      ['trigger', 'context', 'failed', 'invalid'],
      `return (value, timestamp, window) => {
  let result
  try { result = trigger.onElement(value, timestamp, window, context) } catch (error) { throw failed(error, value) }
  if (result !== 'CONTINUE' && result !== 'FIRE' && result !== 'FIRE_AND_PURGE' && result !== 'PURGE') invalid('onElement', result)
  return result
}`,
      [
        trigger,
        this.#triggerContext,
        failureAtRecord(context, 'the trigger'),
        (method: string, result: unknown) => this.#checked(method, result),
      ],
    )
  }

  /** Which window, of the backend's current key, the next call is for. */
  at(namespace: string | number): void {
    this.#triggerContext.namespace = namespace
  }

  onEventTime(time: number, window: W): TriggerResult {
    return this.#call('onEventTime', window, () =>
      this.#trigger.onEventTime(time, window, this.#triggerContext),
    )
  }

  onProcessingTime(time: number, window: W): TriggerResult {
    return this.#call('onProcessingTime', window, () =>
      this.#trigger.onProcessingTime(time, window, this.#triggerContext),
    )
  }

  onMerge(window: W, mergedNamespaces: readonly string[]): void {
    this.#triggerContext.mergedNamespaces = mergedNamespaces
    this.#call('onMerge', window, () => {
      this.#trigger.onMerge(window, this.#triggerContext)
      return 'CONTINUE'
    })
  }

  /** Ends timers and state of the window. */
  clear(window: W): void {
    this.#call('clear', window, () => {
      this.#trigger.clear(window, this.#triggerContext)
      return 'CONTINUE'
    })
    this.#triggerContext.clearState()
  }

  #call(method: string, window: W, call: () => TriggerResult): TriggerResult {
    let result: TriggerResult
    try {
      result = call()
    } catch (error) {
      throw userFunctionFailure(this.#context, `${method} of the trigger`, error, describeWindow(window))
    }
    return this.#checked(method, result)
  }

  #checked(method: string, result: unknown): TriggerResult {
    if (typeof result === 'string' && Object.hasOwn(TriggerResult, result)) return result as TriggerResult
    throw InvalidTriggerResult({
      operator: this.#context.operatorName,
      method,
      result: describeValue(result),
    })
  }
}
