import type { StateTable } from '../../api/keyed-state-backend.ts'
import type { CopyOnWrite, TableIdentity } from './copy-on-write.ts'
import { type Entries, EntryIndex } from './entry-index.ts'
import type { HeapEntry } from './heap-entry.ts'
import type { KeyCursor } from './key-cursor.ts'
import { GOLDEN_RATIO } from './key-tag.ts'
import type { NumberColumns } from './number-columns.ts'
import { REMOVED } from './touch-log.ts'

/** What all tables of a backend share. */
export interface TableDependencies {
  readonly copyOnWrite: CopyOnWrite
  readonly cursor: KeyCursor
}

/** Integer keys of one table that are found without its segments, at most: a power of two. Two megabytes. */
export const MOST_RECENT = 262_144

/**
 * Index of an integer key among `places` (a power of two from two on): the leading bits of its product, so that
 * neither consecutive keys nor those of equal distance share a place. Other numbers have the place of some integer.
 */
const placeOf = (key: number, places: number): number =>
  Math.imul(key, GOLDEN_RATIO) >>> Math.clz32(places - 1)

/**
 * The entries of one namespace: see {@link EntryIndex}.
 * Keys are detached from the records they come from, and so are values that are strings. What runs for each record is
 * generated for each state (`generateHeapTable`) and reads the fields. Owner: the state of its name.
 */
export abstract class HeapTable<V> implements StateTable<V>, TableIdentity {
  readonly state: TableIdentity['state']
  readonly namespace: string | number | undefined
  readonly index = new EntryIndex<V>()
  /**
   * Entries of integer keys, each in the place of its product, the latest found of those that share one: one load where
   * segments need three. A power of two of places, at least twice as many as entries up to a limit.
   */
  recent: (HeapEntry<V> | undefined)[] = [undefined, undefined]
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

  /** About so many keys will come: an empty table makes room for them, so that nothing is moved meanwhile. */
  reserve(keys: number): void {
    if (this.size > 0) return
    this.index.reserve(keys)
    if (keys * 2 > MOST_RECENT) this.recent = new Array<undefined>(MOST_RECENT).fill(undefined)
  }

  get size(): number {
    return this.index.size
  }

  remove(key: unknown): boolean {
    const entry = this.index.find(key)
    if (entry === undefined) return false
    if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
    this.index.delete(key)
    if (typeof key === 'number') this.recent[placeOf(key, this.recent.length)] = undefined
    if (this.#copyOnWrite.removals !== undefined) this.#removed(entry)
    this.#cursor.advance()
    return true
  }

  *entries(): Iterable<HeapEntry<V>> {
    for (const entry of this.index.values()) {
      if (entry.saved < this.#copyOnWrite.open) this.#touch(entry)
      yield entry
    }
  }

  /** See {@link EntryIndex.arrays}. */
  arrays(): readonly Entries<V>[] {
    return this.index.arrays()
  }

  #removed(entry: HeapEntry<V>): void {
    entry.saved = REMOVED
    this.#copyOnWrite.removed(this, entry)
  }

  #touch(entry: HeapEntry<V>): void {
    this.#copyOnWrite.save(this, entry as HeapEntry<unknown>)
  }
}
