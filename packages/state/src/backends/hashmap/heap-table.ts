import { hashKey } from '@flink-ts/serialization'
import type { StateTable } from '../../api/keyed-state-backend.ts'
import type { CopyOnWrite, TableIdentity } from './copy-on-write.ts'
import type { HeapEntry } from './heap-entry.ts'
import { heapKey } from './heap-key.ts'
import type { KeyCursor } from './key-cursor.ts'
import type { NumberColumns } from './number-columns.ts'
import { SegmentedMap } from './segmented-map.ts'
import { REMOVED } from './touch-log.ts'

/** A primitive that stands for a key: see {@link heapKey}. */
type Canonical = string | number | bigint | boolean

/** What all tables of a backend share. */
export interface TableDependencies {
  readonly copyOnWrite: CopyOnWrite
  readonly cursor: KeyCursor
}

/** Keys of one table that are found without its Maps, at most: a power of two. Two megabytes. */
export const MOST_RECENT = 262_144

/** 2^32 divided by it, as an odd number. */
export const GOLDEN_RATIO = 0x9e3779b1

/**
 * Index of an integer key among `places` (a power of two from two on): the leading bits of its product, so that
 * neither consecutive keys nor those of equal distance share a place. Other numbers have the place of some integer.
 */
const placeOf = (key: number, places: number): number =>
  Math.imul(key, GOLDEN_RATIO) >>> Math.clz32(places - 1)

/**
 * The entries of one namespace: one Map without any hashing of ours while it is small, segments when it is large.
 * Keys are detached from the records they come from, and so are values that are strings. What runs for each record is
 * generated for each state (`generateHeapTable`) and reads the fields. Owner: the state of its name.
 */
export abstract class HeapTable<V> implements StateTable<V>, TableIdentity {
  readonly state: TableIdentity['state']
  readonly namespace: string | number | undefined
  /** All entries while `segments` is undefined. */
  readonly map = new Map<Canonical, HeapEntry<V>>()
  segments: SegmentedMap<V> | undefined = undefined
  /**
   * Entries, each in the place of its key, the latest found of those that share one: one load where the Map needs
   * three, and segments six, which for random keys are what a lookup costs. Integers have the place of their product,
   * strings in segments that of their hash. A power of two of places, at least twice as many as entries up to a limit.
   */
  recent: (HeapEntry<V> | undefined)[] = [undefined, undefined]
  size = 0
  numbers: NumberColumns | undefined = undefined
  readonly #copyOnWrite: CopyOnWrite
  readonly #cursor: KeyCursor

  constructor(
    options: { state: TableIdentity['state']; namespace: string | number | undefined },
    dependencies: TableDependencies,
  ) {
    this.state = options.state
    this.namespace = options.namespace
    this.#copyOnWrite = dependencies.copyOnWrite
    this.#cursor = dependencies.cursor
  }

  abstract find(key: unknown): HeapEntry<V> | undefined

  abstract findMany(keys: readonly unknown[], count: number, entries: (HeapEntry<V> | undefined)[]): void

  abstract insert(key: unknown, value: V): HeapEntry<V>

  /** About so many keys will come: an empty table makes room for them. */
  reserve(keys: number): void {
    if (this.size > 0 || this.segments !== undefined) return
    this.segments = SegmentedMap.reserved(keys)
    if (this.segments !== undefined) this.recent = new Array(MOST_RECENT).fill(undefined)
  }

  remove(key: unknown): boolean {
    const canonical = heapKey(key)
    if (this.segments === undefined) {
      const entry = this.map.get(canonical)
      if (entry === undefined) return false
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      this.map.delete(canonical)
      if (typeof key === 'number') this.recent[placeOf(key, this.recent.length)] = undefined
      if (this.#copyOnWrite.removals !== undefined) this.#removed(entry)
    } else {
      const hash = hashKey(key)
      const entry = this.segments.get(canonical, hash)
      if (entry === undefined) return false
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      this.segments.delete(canonical, hash)
      if (typeof key === 'number') this.recent[placeOf(key, this.recent.length)] = undefined
      else this.recent[hash & (this.recent.length - 1)] = undefined
      if (this.#copyOnWrite.removals !== undefined) this.#removed(entry)
    }
    this.size--
    this.#cursor.advance()
    return true
  }

  *entries(): Iterable<HeapEntry<V>> {
    for (const entry of this.segments === undefined ? this.map.values() : this.segments.values()) {
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      yield entry
    }
  }

  /** See {@link SegmentedMap.maps}. */
  maps(): readonly ReadonlyMap<Canonical, HeapEntry<V>>[] {
    return this.segments === undefined ? [this.map] : this.segments.maps()
  }

  #removed(entry: HeapEntry<V>): void {
    entry.saved = REMOVED
    this.#copyOnWrite.removed(this, entry)
  }

  #touch(entry: HeapEntry<V>): void {
    this.#copyOnWrite.save(this, entry as HeapEntry<unknown>)
  }
}
