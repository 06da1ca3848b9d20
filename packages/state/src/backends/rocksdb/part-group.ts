import { canonicalKey } from '@flink-ts/serialization'
import type { Key } from '../../api/keyed-state-backend.ts'
import { detachKey } from '../detach.ts'
import { Cell, type CellGroup } from './cell-cache.ts'
import type { RocksDbContext, WalkedEntry } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { above, type Canonical, indexPart, joined, storedOf } from './store-keys.ts'

/** Up to so many entries a map is deleted one by one. */
const FEW_ENTRIES = 2000

/**
 * The map or list of one key in one namespace: an entry of the store for each entry, or piece. Known to its state only
 * while some of it is in memory. Owner: the state.
 */
export class PartGroup implements CellGroup {
  readonly canonical: Canonical
  readonly namespaceBytes: Uint8Array
  readonly cells = new Map<Canonical, Cell>()
  /** Pieces of a list, once it is known. */
  pieces: number | undefined
  readonly #key: Key
  readonly #state: RocksDbState
  readonly #context: RocksDbContext
  readonly #prefix: Uint8Array
  #original: Uint8Array | undefined

  constructor(
    options: { key: Key; canonical: Canonical; namespaceBytes: Uint8Array },
    dependencies: { state: RocksDbState; context: RocksDbContext },
  ) {
    this.#key = options.key
    this.canonical = options.canonical
    this.namespaceBytes = options.namespaceBytes
    this.#state = dependencies.state
    this.#context = dependencies.context
    this.#prefix = this.#context.keys.of(this.#state.id, this.namespaceBytes, this.#key, this.canonical)
  }

  /** The entry of a map, or a piece of a list by its index; read if it is not in memory. */
  find(part: Key): Cell {
    return this.#cell(part, true)
  }

  /** The same, for who replaces or removes it without looking. */
  place(part: Key): Cell {
    return this.#cell(part, false)
  }

  /** Every entry that is present; they may be changed meanwhile. */
  *walk(): Generator<Cell> {
    this.#context.cache.flush(this)
    for (const entry of this.#context.walk(this.#prefix, above(this.#prefix))) {
      const cell = this.current().#read(entry)
      if (cell.present) yield cell
    }
  }

  /** The group that stands for this key now: another one, if all of this one has left memory. For who keeps it. */
  current(): PartGroup {
    return this.#state.currentParts(this)
  }

  isEmpty(): boolean {
    for (const cell of this.cells.values()) if (cell.present) return false
    this.#context.cache.flush(this)
    return (
      this.#context.store.scan({ lower: this.#prefix, upper: above(this.#prefix), limit: 1 }).length === 0
    )
  }

  /** The last piece of a list that nothing of is in memory. */
  readLast(): Cell | undefined {
    const last = this.#context.store.last(this.#prefix, above(this.#prefix))
    return last === undefined
      ? undefined
      : this.#read({
          key: Uint8Array.prototype.slice.call(last.key),
          value: Uint8Array.prototype.slice.call(last.value),
        })
  }

  /** Deletes everything. */
  clear(): void {
    const { cache, batch, store } = this.#context
    for (const cell of [...this.cells.values()]) cache.forget(cell)
    // Those that were read of the store and are not cells yet must not become any.
    cache.rotations++
    this.emptied()
    const upper = above(this.#prefix)
    let count = 0
    for (const { key } of this.#context.walk(this.#prefix, upper)) {
      if (++count > FEW_ENTRIES) {
        batch.deleteRange(this.#prefix, upper)
        break
      }
      batch.delete(key)
    }
    store.write(batch)
  }

  original(): Uint8Array {
    this.#original ??= this.#context.keys.original(this.#key, this.canonical)
    return this.#original
  }

  storedValue(cell: Cell): unknown {
    return [cell.key, cell.value]
  }

  successor(cell: Cell): Cell {
    return this.current().find(cell.key)
  }

  emptied(): void {
    this.pieces = undefined
    this.#state.forgottenParts(this)
  }

  #cell(part: Key, read: boolean): Cell {
    const { cache, keys, serializer } = this.#context
    const canonical = canonicalKey(part)
    const known = this.cells.get(canonical)
    if (known !== undefined) {
      cache.use(known)
      return known
    }
    const bytes = this.#state.kind === 'list' ? indexPart(part as number) : keys.part(part)
    const own = detachKey(part)
    const storeKey = joined(this.#prefix, bytes)
    const value = read ? this.#context.get(storeKey) : undefined
    const stored = value === undefined ? undefined : storedOf(value)
    const content = stored === undefined ? undefined : (serializer.decode(stored) as [unknown, unknown])[1]
    const cell = new Cell(
      { key: own, canonical: canonicalKey(own), group: this, storeKey },
      content,
      stored !== undefined,
    )
    if (stored !== undefined) cell.isAs(stored)
    // What was not read may be there.
    else cell.inStore = !read
    this.#add(cell)
    return cell
  }

  #read({ key: storeKey, value }: WalkedEntry): Cell {
    const stored = storedOf(value)
    const [part, content] = this.#context.serializer.decode(stored) as [Key, unknown]
    const canonical = canonicalKey(part)
    const known = this.cells.get(canonical)
    if (known !== undefined) {
      this.#context.cache.use(known)
      return known
    }
    const cell = new Cell({ key: part, canonical, group: this, storeKey }, content, true)
    cell.isAs(stored)
    this.#add(cell)
    return cell
  }

  #add(cell: Cell): void {
    // Of an empty group the state does not know.
    if (this.cells.size === 0) this.#state.rememberParts(this)
    this.#context.cache.add(cell)
  }
}
