import type { RocksDbStore, StoreBatch } from '@flink-ts/rocksdb'
import type { ValueSerializer } from '@flink-ts/serialization'
import type { Key, StateEntry } from '../../api/keyed-state-backend.ts'
import type { Canonical } from './store-keys.ts'

/** Written back: another cell stands for the entry, or will. */
const EVICTED = -1
/** Its entry was removed in another way: nothing of the cell is written any more. */
const FORGOTTEN = -2
/** Generations that one record may fill before cells that it holds are written back all the same. */
const MOST_GENERATIONS = 32
const NOT_KNOWN = Symbol('what the store has is not known')

/** Where a cell belongs to. */
export interface CellGroup {
  /** Those in memory, by canonical key; of maps and lists by that of the part. */
  readonly cells: Map<Canonical, Cell>
  /** What the stored value of a cell begins with. */
  original(cell: Cell): Uint8Array
  /** What a snapshot has as the value of an entry with the cell's value. */
  storedValue(cell: Cell): unknown
  /** No cell of it is in memory any more. */
  emptied(): void
  /** The cell that stands now for one that was written back. */
  successor(cell: Cell): Cell
}

/** One entry of the store, decoded: of a table, a map or a list. Absent ones are known as such. */
export class Cell implements StateEntry<unknown> {
  readonly key: Key
  readonly canonical: Canonical
  readonly group: CellGroup
  readonly storeKey: Uint8Array
  #value: unknown
  present: boolean
  /** Whether the store may have an entry. */
  inStore = false
  /** What the store has: encoded if it is an object, which may have changed in place since, else the value. */
  saved: unknown = NOT_KNOWN
  generation = 0
  sizeBytes = 0

  constructor(
    place: { key: Key; canonical: Canonical; group: CellGroup; storeKey: Uint8Array },
    value: unknown,
    present: boolean,
  ) {
    this.key = place.key
    this.canonical = place.canonical
    this.group = place.group
    this.storeKey = place.storeKey
    this.#value = value
    this.present = present
  }

  /** Whoever holds on to a cell that was written back means the entry. */
  get value(): unknown {
    return this.generation === EVICTED ? this.group.successor(this).value : this.#value
  }

  set value(value: unknown) {
    if (this.generation === EVICTED) this.group.successor(this).value = value
    else this.#value = value
  }

  /** The store has this value. `stored` is copied if it is needed. */
  isAs(stored: Uint8Array): void {
    this.inStore = true
    this.saved = isObject(this.value) ? Uint8Array.prototype.slice.call(stored) : this.value
    this.sizeBytes = stored.length
  }
}

export interface CellCacheOptions {
  /** In one generation. */
  readonly cells: number
  /** Encoded, in one generation. */
  readonly sizeBytes: number
}

/**
 * Entries of a store that were used lately, decoded, in two generations: when the younger one is full, the older one is
 * written back before the next record, but for what was used since. So what was handed out stays valid as long as the
 * record, unless that uses very many others ({@link MOST_GENERATIONS}), and what is changed in place until then is
 * written: objects are encoded and compared. Owner: the backend.
 */
export class CellCache {
  /** Grows whenever cells leave or are forgotten: what was read of the store before may be older than what it has now. */
  rotations = 0
  readonly #options: CellCacheOptions
  readonly #store: RocksDbStore
  readonly #batch: StoreBatch
  readonly #serializer: ValueSerializer
  #generation = 1
  #young: Cell[] = []
  #old: Cell[] = []
  #youngBytes = 0
  /** The younger generation is full. */
  #due = false
  /** Guess for values that were not encoded yet. */
  #usualBytes = 64

  constructor(
    options: CellCacheOptions,
    dependencies: { store: RocksDbStore; batch: StoreBatch; serializer: ValueSerializer },
  ) {
    this.#options = options
    this.#store = dependencies.store
    this.#batch = dependencies.batch
    this.#serializer = dependencies.serializer
  }

  /** To be called between two records: nobody changes values in place that were handed out before. */
  settle(): void {
    if (this.#due) this.#rotate()
  }

  /** To be called whenever a cell is handed out. */
  use(cell: Cell): void {
    if (cell.generation !== this.#generation && isLive(cell)) this.#keep(cell)
  }

  /** Takes in a cell that was made. */
  add(cell: Cell): void {
    cell.group.cells.set(cell.canonical, cell)
    this.#keep(cell)
  }

  /** Forgets a cell whose entry is removed in another way. */
  forget(cell: Cell): void {
    cell.generation = FORGOTTEN
    cell.present = false
    cell.value = undefined
    cell.group.cells.delete(cell.canonical)
    this.rotations++
  }

  /** Writes what has changed in a group, which stays in memory. */
  flush(group: CellGroup): void {
    this.#writeAll(group.cells.values())
  }

  /** Writes everything that has changed. */
  flushAll(): void {
    this.#writeAll(this.#old)
    this.#writeAll(this.#young)
  }

  /** Writes everything that has changed and keeps nothing. */
  evictAll(): void {
    this.#rotate()
    this.#rotate()
  }

  #keep(cell: Cell): void {
    cell.generation = this.#generation
    if (cell.sizeBytes === 0) cell.sizeBytes = this.#usualBytes
    this.#youngBytes += cell.sizeBytes
    const { cells, sizeBytes } = this.#options
    if (this.#young.push(cell) < cells && this.#youngBytes < sizeBytes) return
    const most = MOST_GENERATIONS
    if (this.#young.length >= cells * most || this.#youngBytes >= sizeBytes * most) this.#rotate()
    else this.#due = true
  }

  #rotate(): void {
    const old = this.#old
    const current = this.#generation++
    this.#old = this.#young
    this.#young = []
    this.#youngBytes = 0
    this.#due = false
    this.rotations++
    for (const cell of old) {
      if (!isLive(cell) || cell.generation === current) continue
      this.#writeBack(cell)
      cell.generation = EVICTED
      cell.group.cells.delete(cell.canonical)
      if (cell.group.cells.size === 0) cell.group.emptied()
    }
    this.#store.write(this.#batch)
  }

  /** If one cannot be encoded, the others before it are written. */
  #writeAll(cells: Iterable<Cell>): void {
    try {
      for (const cell of cells) if (isLive(cell)) this.#writeBack(cell)
    } finally {
      this.#store.write(this.#batch)
    }
  }

  #writeBack(cell: Cell): void {
    const { value } = cell
    if (!cell.present) {
      if (cell.inStore) this.#batch.delete(cell.storeKey)
      cell.inStore = false
      cell.saved = NOT_KNOWN
      return
    }
    if (!isObject(value) && cell.inStore && Object.is(cell.saved, value)) return
    const stored = this.#serializer.encode(cell.group.storedValue(cell))
    if (cell.inStore && cell.saved instanceof Uint8Array && Buffer.compare(cell.saved, stored) === 0) return
    this.#batch.put(cell.storeKey, stored, cell.group.original(cell))
    cell.inStore = true
    cell.saved = isObject(value) ? stored : value
    cell.sizeBytes = stored.length
    this.#usualBytes = Math.ceil((this.#usualBytes * 15 + stored.length) / 16)
  }
}

function isLive(cell: Cell): boolean {
  return cell.generation !== EVICTED && cell.generation !== FORGOTTEN
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
