import type { Key, NamespacedState, StateEntry, StateTable } from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { NumberHeap } from '../timers/number-heap.ts'
import { TimeWindow } from './time-window.ts'
import type { EmitWindow } from './window-emission.ts'

/** How many keys are emitted between two looks at the clock and the outputs. */
const KEYS_BETWEEN_YIELDS = 64

/** A window whose keys are being emitted. */
interface Firing {
  readonly window: TimeWindow
  readonly table: StateTable<unknown>
  readonly entries: Iterator<StateEntry<unknown>>
  /** Keys emitted since the table was last cleaned of them. */
  emitted: Key[]
}

/**
 * Contents of windows of one size, one table of keys for each window: one timer for each window instead of one for each
 * key. Firing is resumable inside a window; a snapshot in the middle holds exactly the keys not yet emitted. Owner:
 * the operator's slot thread.
 */
export class WindowContents {
  readonly #context: OperatorContext
  readonly #sizeMs: number
  readonly #state: NamespacedState<unknown>
  /** Starts of all windows that have a table. */
  readonly #starts = new NumberHeap()
  #firing: Firing | undefined

  /** @param numberFields of accumulators that may be in columns */
  constructor(context: OperatorContext, sizeMs: number, numberFields?: readonly string[]) {
    this.#context = context
    this.#sizeMs = sizeMs
    this.#state = context.keyedState.namespacedState({ kind: 'aggregating', name: 'window-contents' })
    if (numberFields !== undefined) this.#state.useNumbers?.(numberFields)
    this.#starts.reset(this.#state.namespaces() as Iterable<number>)
  }

  /** The table of the window that starts at `start`, made if absent. */
  table(start: number): StateTable<unknown> {
    const existing = this.#state.existing(start)
    if (existing !== undefined) return existing
    this.#starts.push(start)
    return this.#state.table(start)
  }

  /** Emits and drops all windows that are complete at `watermark`, the earliest first; false: to be called again. */
  fireUpTo(watermark: number, emit: EmitWindow<TimeWindow>): boolean {
    const register = this.#context.timestamp
    const before = register[0] as number
    try {
      for (;;) {
        const firing = this.#firing ?? this.#nextDue(watermark)
        if (firing === undefined) return true
        this.#firing = firing
        register[0] = firing.window.maxTimestamp()
        if (!this.#emitKeys(firing, emit)) return false
        this.#firing = undefined
        this.#state.drop(firing.window.start)
        if (!this.#context.shouldYield()) continue
        this.#firing = this.#nextDue(watermark)
        return this.#firing === undefined
      }
    } finally {
      register[0] = before
    }
  }

  /**
   * Removes the keys that were emitted from a window that is half emitted, so that a snapshot does not have them. Done
   * at snapshots only: normally the whole table is dropped at once.
   */
  removeEmitted(): void {
    const firing = this.#firing
    if (firing === undefined) return
    for (const key of firing.emitted) firing.table.remove(key)
    // The table changed, so the walk begins anew, over what is left.
    this.#firing = { ...firing, entries: firing.table.entries()[Symbol.iterator](), emitted: [] }
  }

  #nextDue(watermark: number): Firing | undefined {
    for (;;) {
      const start = this.#starts.peek()
      if (start === undefined || start + this.#sizeMs - 1 > watermark) return undefined
      this.#starts.pop()
      const table = this.#state.existing(start)
      if (table !== undefined) {
        const window = new TimeWindow(start, start + this.#sizeMs)
        return { window, table, entries: table.entries()[Symbol.iterator](), emitted: [] }
      }
    }
  }

  #emitKeys(firing: Firing, emit: EmitWindow<TimeWindow>): boolean {
    const { window, entries, emitted } = firing
    for (let count = 1; ; count++) {
      const next = entries.next()
      if (next.done === true) return true
      const { key, value } = next.value
      emit(key, window, value)
      emitted.push(key)
      if (count % KEYS_BETWEEN_YIELDS === 0 && this.#context.shouldYield()) return false
    }
  }
}
