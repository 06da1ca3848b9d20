import { inspect } from 'node:util'
import { canonicalKey, hashKey } from '@flink-ts/serialization'
import type { StateTable } from '../../api/keyed-state-backend.ts'
import { DuplicateInsert } from '../../errors.ts'
import type { CopyOnWrite, TableIdentity } from './copy-on-write.ts'
import { detachKey, detachString } from './detach.ts'
import { HeapEntry } from './heap-entry.ts'
import { SEGMENT_LIMIT, SegmentedMap } from './segmented-map.ts'

type Canonical = string | number | bigint | boolean

/**
 * The entries of one namespace: one Map without any hashing of ours while it is small, segments when it is large.
 * Keys are detached from the records they come from, and so are values that are strings. Owner: the state of its name.
 */
export class HeapTable<V> implements StateTable<V>, TableIdentity {
  readonly state: TableIdentity['state']
  readonly namespace: string | number | undefined
  readonly #copyOnWrite: CopyOnWrite
  readonly #entries = new Map<Canonical, HeapEntry<V>>()
  #segments: SegmentedMap<V> | undefined
  #size = 0

  constructor(
    options: { state: TableIdentity['state']; namespace: string | number | undefined },
    dependencies: { copyOnWrite: CopyOnWrite },
  ) {
    this.state = options.state
    this.namespace = options.namespace
    this.#copyOnWrite = dependencies.copyOnWrite
  }

  get size(): number {
    return this.#size
  }

  find(key: unknown): HeapEntry<V> | undefined {
    const canonical = canonicalKey(key)
    const entry =
      this.#segments === undefined
        ? this.#entries.get(canonical)
        : this.#segments.get(canonical, hashKey(key))
    if (entry !== undefined && entry.saved < this.#copyOnWrite.open) this.#touch(entry)
    return entry
  }

  insert(key: unknown, value: V): HeapEntry<V> {
    const own = detachKey(key)
    const canonical = canonicalKey(own)
    const ownValue = typeof value === 'string' ? (detachString(value) as V) : value
    const entry = new HeapEntry(own, ownValue, this.#copyOnWrite.latest)
    if (!this.#add(canonical, entry)) {
      throw DuplicateInsert({ name: this.state.name, key: inspect(key, { depth: 1, maxStringLength: 80 }) })
    }
    this.#size++
    return entry
  }

  remove(key: unknown): boolean {
    const canonical = canonicalKey(key)
    if (this.#segments === undefined) {
      const entry = this.#entries.get(canonical)
      if (entry === undefined) return false
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      this.#entries.delete(canonical)
    } else {
      const hash = hashKey(key)
      const entry = this.#segments.get(canonical, hash)
      if (entry === undefined) return false
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      this.#segments.delete(canonical, hash)
    }
    this.#size--
    this.#copyOnWrite.generation++
    return true
  }

  *entries(): Iterable<HeapEntry<V>> {
    for (const entry of this.#segments === undefined ? this.#entries.values() : this.#segments.values()) {
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      yield entry
    }
  }

  /** See {@link SegmentedMap.maps}. */
  maps(): readonly ReadonlyMap<Canonical, HeapEntry<V>>[] {
    return this.#segments === undefined ? [this.#entries] : this.#segments.maps()
  }

  #add(canonical: Canonical, entry: HeapEntry<V>): boolean {
    if (this.#segments !== undefined) return this.#segments.add(canonical, entry)
    const before = this.#entries.size
    // Set first, look at the size afterwards: one lookup, and a duplicate ends the task anyway.
    this.#entries.set(canonical, entry)
    if (this.#entries.size >= SEGMENT_LIMIT) this.#segments = new SegmentedMap(this.#entries)
    return this.#entries.size > before
  }

  #touch(entry: HeapEntry<V>): void {
    this.#copyOnWrite.save(this, entry as HeapEntry<unknown>)
  }
}
