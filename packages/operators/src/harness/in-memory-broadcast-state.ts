import { canonicalKey } from '@flink-ts/serialization'
import type { BroadcastState } from '@flink-ts/state'

/** Broadcast state for operator tests. */
export class InMemoryBroadcastState<K, V> implements BroadcastState<K, V> {
  readonly #entries = new Map<unknown, readonly [K, V]>()

  constructor(entries: Iterable<readonly [K, V]>) {
    this.putAll(entries)
  }

  get(key: K): V | undefined {
    return this.#entries.get(canonicalKey(key))?.[1]
  }

  contains(key: K): boolean {
    return this.#entries.has(canonicalKey(key))
  }

  put(key: K, value: V): void {
    this.#entries.set(canonicalKey(key), [key, value])
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
}
