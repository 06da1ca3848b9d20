import { generate, hashKey } from '@flink-ts/serialization'
import type { StateEntry } from '../../api/keyed-state-backend.ts'

/** One key with its value, and what copy-on-write must know about it. */
export interface HeapEntry<V> extends StateEntry<V> {
  /** Number of the last snapshot that this entry needs nothing more for: it has its value, or is younger than it. */
  saved: number
  /** Hash of the key: computed when a snapshot or a large table first asks. */
  readonly hash: number
}

/** Constructor of the entries of one state. */
export type HeapEntryClass<V> = new (key: unknown, value: V, saved: number) => HeapEntry<V>

/**
 * A class of entries for one state. V8 notes for each class what its fields hold; in a class shared with other states
 * one of them turns the numbers of all into boxes that are allocated anew at each update.
 */
export function generateHeapEntry<V>(): HeapEntryClass<V> {
  return generate<HeapEntryClass<V>>(
    ['hashKey'],
    // What each record touches comes first: so it is often in one cache line with the head of the object.
    `return class HeapEntry {
  constructor(key, value, saved) {
    this.value = value
    this.saved = saved
    this.key = key
  }
  get hash() {
    return hashKey(this.key)
  }
}`,
    [hashKey],
  )
}
