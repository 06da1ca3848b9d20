import { canonicalKey, hashKey } from '@flink-ts/serialization'
import { detachKey } from '../detach.ts'
import type { HeapEntry, HeapEntryClass } from './heap-entry.ts'
import { SEGMENT_LIMIT, SegmentedMap } from './segmented-map.ts'

type Canonical = string | number | bigint | boolean

/** Entries of a Map together with how many there were when somebody began to go through them. */
export interface FrozenMap<V> {
  readonly map: ReadonlyMap<unknown, HeapEntry<V>>
  readonly size: number
}

/**
 * The user's map of one key: the value that tables of kind `map` hold. Entries are saved for snapshots one by one, by
 * those who hand them out or remove them. In segments when it is large. Owner: the state of its name.
 */
export class HeapMap<V> {
  /** Number of the latest snapshot when it was made. */
  readonly born: number
  size = 0
  /** Empty while there are segments. */
  #map = new Map<Canonical, HeapEntry<V>>()
  #segments: SegmentedMap<V> | undefined

  constructor(born: number) {
    this.born = born
  }

  find(key: unknown): HeapEntry<V> | undefined {
    if (this.#segments !== undefined) return this.#segments.get(canonicalKey(key), hashKey(key))
    if (typeof key === 'string' && key.charCodeAt(0) !== 0) return this.#map.get(key)
    return this.#map.get(canonicalKey(key))
  }

  /** Adds an entry of a key that has none. */
  insert(Entry: HeapEntryClass<V>, key: unknown, value: V, saved: number): HeapEntry<V> {
    const own = detachKey(key)
    const canonical = canonicalKey(own)
    const entry = new Entry(own, value, saved)
    if (this.#segments === undefined) {
      this.#map.set(canonical, entry)
      if (this.#map.size >= SEGMENT_LIMIT) {
        this.#segments = new SegmentedMap(this.#map)
        this.#map = new Map()
      }
    } else this.#segments.add(canonical, entry)
    this.size++
    return entry
  }

  /** Removes the entry of a key that has one. */
  remove(key: unknown): void {
    if (this.#segments === undefined) this.#map.delete(canonicalKey(key))
    else this.#segments.delete(canonicalKey(key), hashKey(key))
    this.size--
  }

  /** Each entry once; entries may be removed meanwhile. */
  values(): Iterable<HeapEntry<V>> {
    return this.#segments === undefined ? this.#map.values() : this.#segments.values()
  }

  /** Maps that together hold every entry of now at least once. */
  frozen(): FrozenMap<V>[] {
    const maps = this.#segments === undefined ? [this.#map] : this.#segments.maps()
    return maps.map(map => ({ map, size: map.size }))
  }
}
