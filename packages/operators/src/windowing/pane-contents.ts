import type { NamespacedState, StateEntry, StateTable } from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import type { AggregateFunction } from '../functions/functions.ts'
import { userFunctionFailure } from '../functions/user-function-failure.ts'
import { NumberHeap } from '../timers/number-heap.ts'
import { alignedStart } from './assigners/aligned-window.ts'
import { PaneProgress } from './pane-progress.ts'
import { TimeWindow } from './time-window.ts'
import { describeWindow, type EmitWindow } from './window-emission.ts'

/** How many keys are looked at between two looks at the clock and the outputs. */
const KEYS_BETWEEN_YIELDS = 32

/** Sliding windows, all in milliseconds. */
export interface SlidingGeometry {
  readonly sizeMs: number
  readonly slideMs: number
  readonly offsetMs: number
}

type Aggregate = AggregateFunction<unknown, unknown, unknown>
type Table = StateTable<unknown>

/** A window whose keys are being emitted: pane by pane, each key with the first pane that has it. */
interface Firing {
  readonly window: TimeWindow
  readonly panes: readonly Table[]
  pane: number
  entries: Iterator<StateEntry<unknown>>
  /** Keys emitted since the last snapshot. */
  emitted: unknown[]
}

/** Length of the panes: the longest that no window divides. */
export function paneLength({ sizeMs, slideMs }: Pick<SlidingGeometry, 'sizeMs' | 'slideMs'>): number {
  let [a, b] = [sizeMs, slideMs]
  while (b > 0) [a, b] = [b, a % b]
  return a
}

/**
 * Contents of sliding windows by panes: a record is added once, however many windows it belongs to; a window that fires
 * merges its panes for each key. Firing is resumable inside a window; a snapshot in the middle knows which keys are
 * out. Owner: the operator's slot thread.
 */
export class PaneContents {
  readonly paneMs: number
  readonly #context: OperatorContext
  readonly #geometry: SlidingGeometry
  readonly #aggregate: Aggregate
  readonly #state: NamespacedState<unknown>
  /** Keys of a half emitted window that are out: filled at snapshots only. */
  readonly #emitted: NamespacedState<boolean>
  readonly #progress: PaneProgress
  /** Starts of all panes that have a table. */
  readonly #starts = new NumberHeap()
  #firing: Firing | undefined

  /** @param numberFields of accumulators that may be in columns */
  constructor(
    context: OperatorContext,
    geometry: SlidingGeometry,
    aggregate: Aggregate,
    numberFields?: readonly string[],
  ) {
    this.#context = context
    this.#geometry = geometry
    this.#aggregate = aggregate
    this.paneMs = paneLength(geometry)
    this.#state = context.keyedState.namespacedState({ kind: 'aggregating', name: 'window-panes' })
    if (numberFields !== undefined) this.#state.useNumbers?.(numberFields)
    this.#emitted = context.keyedState.namespacedState({ kind: 'internal', name: 'window-panes-emitted' })
    this.#progress = new PaneProgress(context)
    this.#starts.reset(this.#state.namespaces() as Iterable<number>)
  }

  restore(): void {
    this.#progress.restore()
  }

  /** The table of the pane that starts at `start`, made if absent; undefined if all of its windows have fired. */
  table(start: number, watermark: number): Table | undefined {
    const { sizeMs, offsetMs, slideMs } = this.#geometry
    const lastWindow = alignedStart(start, offsetMs, slideMs)
    if (lastWindow + sizeMs - 1 <= watermark || lastWindow <= this.#progress.firedStart) return undefined
    const existing = this.#state.existing(start)
    if (existing !== undefined) return existing
    this.#starts.push(start)
    return this.#state.table(start)
  }

  /** Emits all windows that are complete at `watermark`, the earliest first; false: to be called again. */
  fireUpTo(watermark: number, emit: EmitWindow<TimeWindow>): boolean {
    const register = this.#context.timestamp
    const before = register[0] as number
    try {
      for (;;) {
        const firing = this.#firing ?? this.#nextDue(watermark)
        if (firing === undefined) {
          this.#completed(watermark)
          return true
        }
        this.#firing = firing
        register[0] = firing.window.maxTimestamp()
        if (!this.#emitKeys(firing, emit)) return false
        this.#firing = undefined
        this.#finish(firing.window.start)
        if (this.#context.shouldYield() && this.#nextDue(watermark) !== undefined) return false
      }
    } finally {
      register[0] = before
    }
  }

  /** To be called before each snapshot: notes the keys that are out. */
  prepareSnapshot(): void {
    const firing = this.#firing
    if (firing === undefined) return
    const table = this.#emitted.table(firing.window.start)
    for (const key of firing.emitted) table.insert(key, true)
    firing.emitted = []
  }

  snapshot(): void {
    this.#progress.snapshot()
  }

  #nextDue(watermark: number): Firing | undefined {
    const { sizeMs, slideMs, offsetMs } = this.#geometry
    const pane = this.#starts.peek()
    if (pane === undefined) return undefined
    const first = alignedStart(pane - sizeMs, offsetMs, slideMs) + slideMs
    const start = Math.max(first, this.#progress.firedStart + slideMs)
    if (start + sizeMs - 1 > watermark) return undefined
    const panes: Table[] = []
    for (let at = start; at < start + sizeMs; at += this.paneMs) {
      const table = this.#state.existing(at)
      if (table !== undefined) panes.push(table)
    }
    const entries = (panes[0] as Table).entries()[Symbol.iterator]()
    return { window: new TimeWindow(start, start + sizeMs), panes, pane: 0, entries, emitted: [] }
  }

  /** Windows that were empty are over as well: records that come for them are late. */
  #completed(watermark: number): void {
    const { sizeMs, slideMs, offsetMs } = this.#geometry
    const last = alignedStart(watermark + 1 - sizeMs, offsetMs, slideMs)
    if (last > this.#progress.firedStart) this.#progress.fired(last)
  }

  /** Drops what only the window needed, and the panes that no later one has. */
  #finish(start: number): void {
    this.#emitted.drop(start)
    this.#progress.fired(start)
    for (;;) {
      const pane = this.#starts.peek()
      if (pane === undefined || pane >= start + this.#geometry.slideMs) return
      this.#starts.pop()
      this.#state.drop(pane)
    }
  }

  #emitKeys(firing: Firing, emit: EmitWindow<TimeWindow>): boolean {
    const { window, panes } = firing
    const out = this.#emitted.existing(window.start)
    for (let count = 1; ; count++) {
      const next = firing.entries.next()
      if (next.done === true) {
        firing.pane++
        const pane = panes[firing.pane]
        if (pane === undefined) return true
        firing.entries = pane.entries()[Symbol.iterator]()
        continue
      }
      const { key } = next.value
      if (!this.#isIn(panes, firing.pane, key) && out?.find(key) === undefined) {
        if (!this.#progress.hasFiredFor(key, window.start)) {
          emit(key, window, this.#merged(firing, next.value))
        }
        firing.emitted.push(key)
      }
      if (count % KEYS_BETWEEN_YIELDS === 0 && this.#context.shouldYield()) return false
    }
  }

  /** Whether one of the first `count` panes has the key. */
  #isIn(panes: readonly Table[], count: number, key: unknown): boolean {
    for (let i = 0; i < count; i++) if (panes[i]?.find(key) !== undefined) return true
    return false
  }

  /** The accumulator of a key over all panes: the panes' own remain as they are. */
  #merged({ window, panes, pane }: Firing, entry: StateEntry<unknown>): unknown {
    try {
      let merged = this.#join(this.#aggregate.createAccumulator(), entry.value)
      for (let i = pane + 1; i < panes.length; i++) {
        const found = panes[i]?.find(entry.key)
        if (found !== undefined) merged = this.#join(merged, found.value)
      }
      return merged
    } catch (error) {
      throw userFunctionFailure(
        this.#context,
        'merge of the aggregate function of the window',
        error,
        describeWindow(window),
      )
    }
  }

  #join(left: unknown, right: unknown): unknown {
    const joined = this.#aggregate.merge?.(left, right)
    // Later windows need the pane's own: nobody may go on with it.
    return joined === right ? structuredClone(right) : joined
  }
}
