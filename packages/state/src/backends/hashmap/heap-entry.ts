import { hashKey } from '@flink-ts/serialization'
import type { StateEntry } from '../../api/keyed-state-backend.ts'

/** One key with its value, and what copy-on-write must know about it. */
export class HeapEntry<V> implements StateEntry<V> {
  readonly key: unknown
  value: V
  /** Number of the last snapshot that this entry needs nothing more for: it has its value, or is younger than it. */
  saved: number
  #hash = -1

  constructor(key: unknown, value: V, saved: number) {
    this.key = key
    this.value = value
    this.saved = saved
  }

  /** Hash of the key: computed when a snapshot or a large table first asks. */
  get hash(): number {
    if (this.#hash < 0) this.#hash = hashKey(this.key)
    return this.#hash
  }
}
