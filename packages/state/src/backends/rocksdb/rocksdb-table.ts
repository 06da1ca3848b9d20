import { inspect } from 'node:util'
import { canonicalKey } from '@flink-ts/serialization'
import type { Key, StateEntry, StateTable } from '../../api/keyed-state-backend.ts'
import { DuplicateInsert } from '../../errors.ts'
import { detachKey } from '../detach.ts'
import { Cell, type CellGroup } from './cell-cache.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { above, type Canonical, type Namespace, parseKey, statePrefix, storedOf } from './store-keys.ts'

/** Up to so many entries a table is deleted one by one: ranges that are deleted make reads slower for a while. */
const FEW_ENTRIES = 10_000

/** One namespace of a state of values: an entry of the store for each key. Owner: the state of its name. */
export class RocksDbTable implements StateTable<unknown>, CellGroup {
  readonly namespace: Namespace
  readonly namespaceBytes: Uint8Array
  readonly cells = new Map<Canonical, Cell>()
  size = 0
  readonly #state: RocksDbState
  readonly #context: RocksDbContext

  constructor(
    options: { namespace: Namespace; namespaceBytes: Uint8Array },
    dependencies: { state: RocksDbState; context: RocksDbContext },
  ) {
    this.namespace = options.namespace
    this.namespaceBytes = options.namespaceBytes
    this.#state = dependencies.state
    this.#context = dependencies.context
  }

  find(key: Key): StateEntry<unknown> | undefined {
    // Operators replace the values of entries, which reaches those that were written back too.
    this.#context.cache.settle()
    const cell = this.#cell(key)
    return cell.present ? cell : undefined
  }

  findMany(keys: readonly Key[], count: number, entries: (StateEntry<unknown> | undefined)[]): void {
    this.#context.cache.settle()
    for (let i = 0; i < count; i++) {
      const cell = this.#cell(keys[i])
      entries[i] = cell.present ? cell : undefined
    }
  }

  insert(key: Key, value: unknown): StateEntry<unknown> {
    const cell = this.#cell(key)
    if (cell.present) {
      throw DuplicateInsert({ name: this.#state.name, key: inspect(key, { depth: 1, maxStringLength: 80 }) })
    }
    cell.value = value
    cell.present = true
    if (this.size++ === 0) this.#state.filled(this)
    return cell
  }

  remove(key: Key): boolean {
    const cell = this.#cell(key)
    if (!cell.present) return false
    cell.present = false
    cell.value = undefined
    if (--this.size === 0) this.#state.unfilled(this)
    return true
  }

  /** Entries may be added and removed meanwhile; what was added may be among them or not. */
  *entries(): Iterable<StateEntry<unknown>> {
    const { cache, keyGroupRange } = this.#context
    let inMemory = 0
    for (const cell of this.cells.values()) if (cell.present) inMemory++
    if (inMemory === this.size) {
      for (const cell of [...this.cells.values()]) {
        // One that was written back meanwhile is another cell now.
        const current = this.cells.get(cell.canonical) === cell ? cell : this.#cell(cell.key)
        cache.use(current)
        if (current.present) yield current
      }
      return
    }
    cache.flush(this)
    for (let keyGroup = keyGroupRange.start; keyGroup <= keyGroupRange.end; keyGroup++) {
      const prefix = statePrefix(keyGroup, this.#state.id, this.namespaceBytes)
      for (const { key, value } of this.#context.walk(prefix, above(prefix))) {
        const cell = this.#read(key, value)
        if (cell.present) yield cell
      }
    }
  }

  /** Deletes everything. */
  drop(): void {
    const { cache, batch, store, keyGroupRange } = this.#context
    let inMemory = 0
    for (const cell of [...this.cells.values()]) {
      if (cell.present) inMemory++
      if (cell.inStore) batch.delete(cell.storeKey)
      cache.forget(cell)
    }
    store.write(batch)
    if (inMemory < this.size) {
      for (let keyGroup = keyGroupRange.start; keyGroup <= keyGroupRange.end; keyGroup++) {
        const prefix = statePrefix(keyGroup, this.#state.id, this.namespaceBytes)
        if (this.size > FEW_ENTRIES) batch.deleteRange(prefix, above(prefix))
        else for (const { key } of this.#context.walk(prefix, above(prefix))) batch.delete(key)
      }
      store.write(batch)
    }
    this.size = 0
  }

  original(cell: Cell): Uint8Array {
    return this.#context.keys.original(cell.key, cell.canonical)
  }

  storedValue(cell: Cell): unknown {
    return cell.value
  }

  successor(cell: Cell): Cell {
    return this.#cell(cell.key)
  }

  emptied(): void {
    this.#state.forgotten(this)
  }

  #cell(key: Key): Cell {
    const { cache, keys, serializer } = this.#context
    const canonical = canonicalKey(key)
    const known = this.cells.get(canonical)
    if (known !== undefined) {
      cache.use(known)
      return known
    }
    const storeKey = keys.of(this.#state.id, this.namespaceBytes, key, canonical)
    const bytes = this.#context.get(storeKey)
    const own = detachKey(key)
    const place = { key: own, canonical: own === key ? canonical : canonicalKey(own), group: this, storeKey }
    const stored = bytes === undefined ? undefined : storedOf(bytes)
    const cell = new Cell(
      place,
      stored === undefined ? undefined : serializer.decode(stored),
      stored !== undefined,
    )
    if (stored !== undefined) cell.isAs(stored)
    cache.add(cell)
    return cell
  }

  /** The cell of an entry that was read. */
  #read(storeKey: Uint8Array, value: Uint8Array): Cell {
    const { cache, keys, serializer } = this.#context
    const parsed = parseKey(storeKey)
    const canonical = serializer.decode(parsed.canonicalBytes) as Canonical
    const known = this.cells.get(canonical)
    if (known !== undefined) {
      cache.use(known)
      return known
    }
    const stored = storedOf(value)
    const key = serializer.decode(keys.encodedKey(parsed, value))
    const cell = new Cell({ key, canonical, group: this, storeKey }, serializer.decode(stored), true)
    cell.isAs(stored)
    cache.add(cell)
    return cell
  }
}
