import { canonicalKey } from '@flink-ts/serialization'
import type { BroadcastState } from '../../api/user-states.ts'
import { detachKey } from '../detach.ts'

/** A broadcast map on the heap, in the order of insertion. Owner: the operator instance, slot thread. */
export class HeapBroadcastState<K, V> implements BroadcastState<K, V> {
  readonly mode = 'broadcast'
  readonly #entries = new Map<unknown, readonly [K, V]>()

  constructor(options: { entries: Iterable<readonly [K, V]> }) {
    this.putAll(options.entries)
  }

  get(key: K): V | undefined {
    return this.#entries.get(canonicalKey(key))?.[1]
  }

  contains(key: K): boolean {
    return this.#entries.has(canonicalKey(key))
  }

  put(key: K, value: V): void {
    this.#entries.set(canonicalKey(key), [detachKey(key) as K, value])
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value)
  }

  remove(key: K): void {
    this.#entries.delete(canonicalKey(key))
  }

  entries(): Iterable<readonly [K, V]> {
    return this.#entries.values()
  }

  immutableEntries(): Iterable<readonly [K, V]> {
    return this.#entries.values()
  }

  clear(): void {
    this.#entries.clear()
  }

  /** What a snapshot holds. */
  elements(): readonly unknown[] {
    return [...this.#entries.values()]
  }
}
