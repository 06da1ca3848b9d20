import type { ListState, ReducingState, StateDescriptor } from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import type { InternalTimerService } from '../timers/internal-timer-service.ts'
import { type StateGetter, WindowStates } from './keyed-state-store.ts'
import type { OnMergeContext } from './triggers/trigger.ts'

/** What a trigger sees: one object for each operator instance. The operator sets the namespace. */
export class WindowTriggerContext implements OnMergeContext {
  /** Of the window in timers and state. */
  namespace: string | number = 0
  /** Of the windows that are being merged. */
  mergedNamespaces: readonly string[] = []
  readonly getPartitionedState: StateGetter
  readonly #context: OperatorContext
  readonly #timers: InternalTimerService
  readonly #states: WindowStates

  constructor(context: OperatorContext, timers: InternalTimerService) {
    this.#context = context
    this.#timers = timers
    this.#states = new WindowStates(context, 'trigger-state')
    this.getPartitionedState = ((descriptor: StateDescriptor<unknown>) =>
      this.#states.get(descriptor, this.namespace)) as unknown as StateGetter
  }

  currentWatermark(): number {
    return this.#timers.currentWatermark()
  }

  currentProcessingTime(): number {
    return this.#context.processingTime()
  }

  registerEventTimeTimer(timestamp: number): void {
    this.#timers.registerEventTime(this.namespace, timestamp)
  }

  deleteEventTimeTimer(timestamp: number): void {
    this.#timers.deleteEventTime(this.namespace, timestamp)
  }

  registerProcessingTimeTimer(timestamp: number): void {
    this.#timers.registerProcessingTime(this.namespace, timestamp)
  }

  deleteProcessingTimeTimer(timestamp: number): void {
    this.#timers.deleteProcessingTime(this.namespace, timestamp)
  }

  mergePartitionedState(descriptor: StateDescriptor<unknown>): void {
    for (const merged of this.mergedNamespaces) {
      if (merged === this.namespace) continue
      const from = this.#states.get(descriptor, merged)
      const list = descriptor.kind === 'list'
      const value = list ? [...(from as ListState<unknown>).get()] : (from as ReducingState<unknown>).get()
      from.clear()
      if (value === undefined || (list && (value as unknown[]).length === 0)) continue
      // The same object, bound to the window that stays.
      const into = this.#states.get(descriptor, this.namespace)
      if (list) (into as ListState<unknown>).addAll(value as unknown[])
      else (into as ReducingState<unknown>).add(value)
    }
  }

  /** Removes what the trigger left behind for the current key and window. */
  clearState(): void {
    this.#states.clear(this.namespace)
  }
}
