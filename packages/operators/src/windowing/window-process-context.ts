import type { StateDescriptor } from '@flink-ts/state'
import type { UserOutput } from '../builtin/user-output.ts'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { WindowStateWithMergingWindows } from '../errors.ts'
import type { OutputTag } from '../functions/collector.ts'
import { type KeyedStateStore, keyedStateStoreOf, WindowStates } from './keyed-state-store.ts'
import type { Window } from './time-window.ts'
import type { ProcessWindowContext } from './window-functions.ts'

/** What a ProcessWindowFunction sees: one object for each operator instance. The operator sets window and namespace. */
export class WindowProcessContext<W extends Window> implements ProcessWindowContext<W> {
  window: W
  /** Of the window in state. */
  namespace: string | number = 0
  readonly windowState: KeyedStateStore
  readonly globalState: KeyedStateStore
  readonly #context: OperatorContext
  readonly #output: UserOutput
  readonly #states: WindowStates
  readonly #currentWatermark: () => number

  /** @param options `merging`: windows have no state of their own; `currentWatermark`: as timers see it */
  constructor(
    context: OperatorContext,
    output: UserOutput,
    options: { readonly merging: boolean; readonly currentWatermark: () => number },
  ) {
    this.window = undefined as unknown as W
    this.#context = context
    this.#output = output
    this.#states = new WindowStates(context, 'window-state')
    this.#currentWatermark = options.currentWatermark
    this.windowState = keyedStateStoreOf(descriptor => {
      if (options.merging) {
        throw WindowStateWithMergingWindows({ operator: context.operatorName, state: descriptor.name })
      }
      return this.#states.get(descriptor, this.namespace)
    })
    this.globalState = keyedStateStoreOf((descriptor: StateDescriptor<unknown>) =>
      context.keyedState.state(descriptor),
    )
  }

  currentWatermark(): number {
    return this.#currentWatermark()
  }

  currentProcessingTime(): number {
    return this.#context.processingTime()
  }

  output<O>(tag: OutputTag<O>, value: O): void {
    this.#output.sideOutput(tag.id)(value)
  }

  /** Removes the state of the current key and window. */
  clearWindowState(): void {
    this.#states.clear(this.namespace)
  }
}
