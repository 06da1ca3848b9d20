import { inspect } from 'node:util'
import type { NamespacedState } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { StateType } from '../../api/state-type.ts'
import type { ValueState } from '../../api/user-states.ts'
import { CorruptSnapshot } from '../../errors.ts'
import { generateOwnValue } from '../detach.ts'
import { generateHeapTable, type HeapTableClass } from './generate-heap-table.ts'
import { generateValueState, type ValueStateMaker } from './generate-value-state.ts'
import { generateHeapEntry, type HeapEntryClass } from './heap-entry.ts'
import { HeapMap } from './heap-map.ts'
import type { HeapTable, TableDependencies } from './heap-table.ts'
import { tagOf } from './key-tag.ts'
import type { ListChunk } from './list-chunk.ts'
import { NumberColumns, type NumberShape, numberShape } from './number-columns.ts'
import { generateNumberTable } from './number-table.ts'
import type { TtlMode } from './ttl/convert-times.ts'
import type { TtlClock } from './ttl/ttl-clock.ts'
import { hasParts } from './value-parts.ts'

/** Keys of a namespace that are removed one by one when it is dropped. */
const FEW_KEYS = 64

/** Places of a dropped table that are worth to be kept. */
const MANY_PLACES = 1024

/** All tables of one state. A dropped namespace keeps its entries for the open snapshot, which holds its maps. */
export class HeapState<V> implements NamespacedState<V> {
  readonly name: string
  readonly kind: StateDescriptor<V>['kind']
  /** `ownValue` for values of this state, of lists and maps for their parts. */
  readonly own = generateOwnValue()
  readonly #dependencies: TableDependencies
  #Table: HeapTableClass<V>
  /** Of values that new tables may have in columns. */
  #numbers: NumberShape | undefined
  readonly #tables = new Map<string | number | undefined, HeapTable<V>>()
  /** Empty places of the table dropped last: windows follow each other with about as many keys. */
  #sparePlaces: HeapTable<V>['recent'] | undefined
  /** Whether values have times, and by which clock: see {@link Timed}. */
  ttl: TtlMode
  /** Set when the state has been asked for by a descriptor with a time to live. */
  clock: TtlClock | undefined
  /** Whether there was anything to restore. */
  restored = false
  /** What the snapshots say about the values; nothing if they do not say. */
  storedType: StateType = []
  #MapEntry: HeapEntryClass<unknown> | undefined
  #valueStates: ValueStateMaker<V> | undefined

  constructor(
    options: { name: string; kind: StateDescriptor<V>['kind']; ttl?: TtlMode },
    dependencies: TableDependencies,
  ) {
    this.name = options.name
    this.kind = options.kind
    this.ttl = options.ttl
    this.#dependencies = dependencies
    // Lists and maps have been made here, of parts that are their own.
    this.#Table = generateHeapTable<V>(dependencies, hasParts(options.kind) ? undefined : this.own)
  }

  /** The state of the current key in the only namespace. Code is generated once, whatever the number of calls. */
  valueState(defaultValue: V | undefined): ValueState<V> {
    this.#valueStates ??= generateValueState(this.table(undefined), this.#dependencies, this.own)
    return this.#valueStates(defaultValue)
  }

  table(namespace: string | number | undefined): HeapTable<V> {
    let table = this.#tables.get(namespace)
    if (table === undefined) {
      table = new this.#Table({ state: this, namespace }, this.#dependencies)
      if (this.#numbers !== undefined)
        table.numbers = new NumberColumns(this.#numbers, this.#dependencies.copyOnWrite)
      this.#tables.set(namespace, table)
      if (this.#sparePlaces !== undefined) {
        table.recent = this.#sparePlaces
        this.#sparePlaces = undefined
      }
    }
    return table
  }

  existing(namespace: string | number | undefined): HeapTable<V> | undefined {
    return this.#tables.get(namespace)
  }

  namespaces(): Iterable<string | number | undefined> {
    return this.#tables.keys()
  }

  drop(namespace: string | number | undefined): void {
    const table = this.#tables.get(namespace)
    if (table === undefined) return
    this.#tables.delete(namespace)
    this.#dependencies.cursor.advance()
    if (table.recent.length >= MANY_PLACES) {
      this.#sparePlaces = table.recent.fill(undefined)
      table.recent = [undefined, undefined]
    }
    const { removals } = this.#dependencies.copyOnWrite
    if (removals === undefined || table.size === 0) return
    // Of few keys each one for itself: the other way is an entry in each key group.
    if (table.size > FEW_KEYS) removals.add({ state: this, namespace })
    else for (const key of this.#keysOf(table)) removals.add({ state: this, namespace, entry: { key } })
  }

  /** Not with incremental snapshots: they are about entries. */
  useNumbers(fields: readonly string[]): void {
    if (this.#numbers !== undefined || this.#dependencies.copyOnWrite.removals !== undefined) return
    this.#numbers = numberShape(fields)
    this.#Table = generateNumberTable(this.#Table)
  }

  /** Takes away what a later file says was removed. `partKey`: in a list, only of the key's map. */
  restoreRemoval(namespace: string | number | undefined, key: unknown, partKey: readonly unknown[]): void {
    const table = this.#tables.get(namespace)
    if (partKey.length === 0) table?.remove(key)
    else {
      const map = table?.find(key)?.value
      if (!(map instanceof HeapMap) || map.find(partKey[0]) === undefined) return
      map.remove(partKey[0])
      if (map.size === 0) table?.remove(key)
    }
    if (table?.size === 0) this.#tables.delete(namespace)
  }

  /** The same for all keys of a namespace whose hashes are of some key groups. */
  restoreDrop(namespace: string | number | undefined, isRemoved: (hash: number) => boolean): void {
    const table = this.#tables.get(namespace)
    if (table === undefined) return
    for (const entry of [...table.entries()]) if (isRemoved(entry.hash)) table.remove(entry.key)
    if (table.size === 0) this.#tables.delete(namespace)
  }

  /** Adds what a snapshot has of one entry: the value, or a part of it. `replace`: there may be an older one. */
  restore(namespace: string | number | undefined, key: unknown, stored: unknown, replace = false): void {
    const table = this.table(namespace)
    this.restored = true
    const existing = replace ? table.find(key) : undefined
    if (this.kind === 'map') this.#restoreMapEntry(table, key, stored as [unknown, unknown], replace)
    else if (this.kind === 'list')
      restoreListChunk(table as HeapTable<unknown>, key, stored as [number, unknown[]], replace)
    else if (existing !== undefined) existing.value = stored as V
    else table.insert(key, stored as V)
  }

  /** Puts lists in order, and drops those of which all was over. Throws `state.corrupt-snapshot` if a piece of one is missing. */
  completeRestore(): void {
    if (this.kind !== 'list') return
    for (const table of this.#tables.values()) {
      const empty: unknown[] = []
      for (const { key, value } of table.entries()) {
        const chunks = value as ListChunk<unknown>[]
        if (chunks.length > 1) chunks.sort((a, b) => a.key - b.key)
        if (!chunks.every((chunk, index) => chunk.key === index)) {
          throw CorruptSnapshot({
            where: `list state '${this.name}'`,
            reason: `pieces of the list of key ${inspect(key)} are missing`,
          })
        }
        if (chunks.every(chunk => chunk.value.length === 0)) empty.push(key)
      }
      for (const key of empty) table.remove(key)
    }
  }

  #restoreMapEntry(
    table: HeapTable<V>,
    key: unknown,
    [mapKey, value]: [unknown, unknown],
    replace: boolean,
  ): void {
    const existing = table.find(key)?.value as HeapMap<unknown> | undefined
    const map = existing ?? new HeapMap<unknown>(0)
    const older = replace ? map.find(mapKey) : undefined
    if (older !== undefined) older.value = value
    else map.insert(this.MapEntry, mapKey, tagOf(mapKey), value, 0)
    if (existing === undefined) table.insert(key, map as V)
  }

  /** Constructor of the entries of the users' maps. */
  get MapEntry(): HeapEntryClass<unknown> {
    this.#MapEntry ??= generateHeapEntry()
    return this.#MapEntry
  }

  /** Keys of the only namespace; entries may be removed and added meanwhile. */
  *keys(): Iterable<unknown> {
    const table = this.#tables.get(undefined)
    if (table !== undefined) yield* this.#keysOf(table)
  }

  *#keysOf(table: HeapTable<V>): Iterable<unknown> {
    for (const entry of table.index.values()) yield entry.key
  }

  tables(): Iterable<HeapTable<V>> {
    return this.#tables.values()
  }
}

function restoreListChunk(
  table: HeapTable<unknown>,
  key: unknown,
  [index, value]: [number, unknown[]],
  replace: boolean,
): void {
  const chunk: ListChunk<unknown> = { key: index, value, saved: 0 }
  const chunks = table.find(key)?.value as ListChunk<unknown>[] | undefined
  if (chunks === undefined) {
    table.insert(key, [chunk])
    return
  }
  const older = replace ? chunks.findIndex(other => other.key === index) : -1
  if (older < 0) chunks.push(chunk)
  else chunks[older] = chunk
}
