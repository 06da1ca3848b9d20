import { keyGroupOf } from '@flink-ts/serialization'
import type { OperatorContext } from '../contract/stream-operator.ts'

/** First and last key group of a subtask, and the start of the last window that fired there. */
type StoredProgress = readonly [firstGroup: number, lastGroup: number, firedStart: number]

/**
 * Which sliding windows have fired: the panes of a window are still needed for later ones, so that state alone does not
 * say. Part of snapshots; after a restore it may differ between key groups that come from several subtasks. Owner: one
 * operator instance.
 */
export class PaneProgress {
  readonly #context: OperatorContext
  /** All windows up to this start have fired. */
  #firedStart = Number.NEGATIVE_INFINITY
  /** Of key groups that are further; undefined: there are none. */
  #furtherGroups: Map<number, number> | undefined

  constructor(context: OperatorContext) {
    this.#context = context
  }

  get firedStart(): number {
    return this.#firedStart
  }

  restore(): void {
    const { start, end } = this.#context.keyedState.keyGroupRange
    const byGroup = new Map<number, number>()
    for (const [first, last, fired] of this.#list().get()) {
      for (let group = Math.max(first, start); group <= Math.min(last, end); group++)
        byGroup.set(group, fired)
    }
    if (byGroup.size === 0) return
    this.#firedStart =
      byGroup.size < end - start + 1 ? Number.NEGATIVE_INFINITY : Math.min(...byGroup.values())
    for (const [group, fired] of byGroup) if (fired === this.#firedStart) byGroup.delete(group)
    if (byGroup.size > 0) this.#furtherGroups = byGroup
  }

  snapshot(): void {
    const { start, end } = this.#context.keyedState.keyGroupRange
    const stored: StoredProgress[] = []
    if (this.#furtherGroups === undefined) stored.push([start, end, this.#firedStart])
    else {
      for (let group = start; group <= end; group++) {
        stored.push([group, group, this.#furtherGroups.get(group) ?? this.#firedStart])
      }
    }
    this.#list().update(stored)
  }

  /** All keys of the window that starts there are out. */
  fired(start: number): void {
    this.#firedStart = start
    if (this.#furtherGroups === undefined) return
    for (const [group, fired] of this.#furtherGroups) if (fired <= start) this.#furtherGroups.delete(group)
    if (this.#furtherGroups.size === 0) this.#furtherGroups = undefined
  }

  /** Whether the window has fired for the key already, before the restore. */
  hasFiredFor(key: unknown, start: number): boolean {
    if (this.#furtherGroups === undefined) return false
    const fired = this.#furtherGroups.get(keyGroupOf(key, this.#context.keyedState.maxParallelism))
    return fired !== undefined && fired >= start
  }

  #list() {
    return this.#context.operatorState.listState<StoredProgress>('window-panes-fired', 'union')
  }
}
