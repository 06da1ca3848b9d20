import type { OperatorContext } from '../contract/stream-operator.ts'
import { InvalidWindow } from '../errors.ts'
import { describeValue, failureAtRecord } from '../functions/user-function-failure.ts'
import type { WindowAssigner, WindowAssignerContext } from './assigners/window-assigner.ts'
import { TimeWindow, timeWindowSerializer, type Window, type WindowSerializer } from './time-window.ts'

/** Above this many windows, those not used lately are forgotten. */
const REMEMBERED = 1024

/** Names of windows in state and timers. Owner: one operator instance. */
export class WindowNames<W extends Window> {
  readonly #context: OperatorContext
  readonly #serializer: WindowSerializer<W>
  /** By name: firing a window calls for it once for each key. */
  #windows = new Map<string | number, W>()

  /** @param serializer undefined: windows of time */
  constructor(context: OperatorContext, serializer: WindowSerializer<W> | undefined) {
    this.#context = context
    this.#serializer = serializer ?? (timeWindowSerializer as unknown as WindowSerializer<W>)
  }

  namespace(window: W): string | number {
    const name = this.#serializer.serialize(window)
    this.#remember(name, window)
    return name
  }

  window(namespace: string | number): W {
    let window = this.#windows.get(namespace)
    if (window === undefined) {
      window = this.#serializer.deserialize(namespace)
      this.#remember(namespace, window)
    }
    return window
  }

  /** The assigner's windows of a record. @throws operators.invalid-window if they are none */
  checkedAssign<T>(assigner: WindowAssigner<T, W>): (value: T, timestamp: number) => readonly W[] {
    const context: WindowAssignerContext = { currentProcessingTime: () => this.#context.processingTime() }
    const failed = failureAtRecord(this.#context, 'the window assigner')
    const check = (windows: readonly W[]): void => {
      if (!Array.isArray(windows)) this.#invalid(windows, 'an array of windows')
      for (const window of windows as readonly unknown[]) {
        if (this.#serializer === (timeWindowSerializer as unknown)) {
          if (!(window instanceof TimeWindow))
            this.#invalid(window, 'TimeWindows, or give it a windowSerializer')
          if (!(window.start < window.end)) this.#invalid(window, 'windows whose start is before their end')
        } else if (typeof (window as Window | undefined)?.maxTimestamp !== 'function') {
          this.#invalid(window, 'windows with the method maxTimestamp')
        }
      }
    }
    return (value, timestamp) => {
      let windows: readonly W[]
      try {
        windows = assigner.assignWindows(value, timestamp, context)
      } catch (error) {
        throw failed(error, value)
      }
      check(windows)
      return windows
    }
  }

  #invalid(window: unknown, expected: string): never {
    throw InvalidWindow({ operator: this.#context.operatorName, window: describeValue(window), expected })
  }

  #remember(name: string | number, window: W): void {
    if (this.#windows.size >= REMEMBERED) this.#windows = new Map()
    this.#windows.set(name, window)
  }
}
