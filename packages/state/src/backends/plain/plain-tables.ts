import { inspect } from 'node:util'
import type { Key, NamespacedState, StateEntry, StateTable } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { DuplicateInsert } from '../../errors.ts'
import { detachKey } from '../detach.ts'

type Namespace = string | number | undefined

/** The tables of one state: one Map for each namespace. Empty ones are dropped. Owner: the backend. */
export class PlainTables implements NamespacedState<unknown> {
  readonly kind: StateDescriptor<unknown>['kind']
  readonly #canonical: (key: Key) => unknown
  readonly #tables = new Map<Namespace, PlainTable>()

  constructor(options: { kind: StateDescriptor<unknown>['kind']; canonical: (key: Key) => unknown }) {
    this.kind = options.kind
    this.#canonical = options.canonical
  }

  table(namespace: Namespace): PlainTable {
    const existing = this.#tables.get(namespace)
    if (existing !== undefined) return existing
    // The one without a namespace is held on to.
    const table: PlainTable = new PlainTable(this.#canonical, () => {
      if (namespace !== undefined && this.#tables.get(namespace) === table) this.#tables.delete(namespace)
    })
    this.#tables.set(namespace, table)
    return table
  }

  existing(namespace: Namespace): PlainTable | undefined {
    return this.#tables.get(namespace)
  }

  *namespaces(): Iterable<Namespace> {
    for (const [namespace, { size }] of this.#tables) if (size > 0) yield namespace
  }

  drop(namespace: Namespace): void {
    this.#tables.delete(namespace)
  }
}

class PlainTable implements StateTable<unknown> {
  readonly #canonical: (key: Key) => unknown
  readonly #onEmpty: () => void
  readonly #entries = new Map<unknown, StateEntry<unknown>>()

  constructor(canonical: (key: Key) => unknown, onEmpty: () => void) {
    this.#canonical = canonical
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#entries.size
  }

  find(key: Key): StateEntry<unknown> | undefined {
    return this.#entries.get(this.#canonical(key))
  }

  findMany(keys: readonly Key[], count: number, entries: (StateEntry<unknown> | undefined)[]): void {
    for (let i = 0; i < count; i++) entries[i] = this.find(keys[i])
  }

  insert(key: Key, value: unknown): StateEntry<unknown> {
    if (this.find(key) !== undefined)
      throw DuplicateInsert({ name: 'of the plain backend', key: inspect(key) })
    const entry = { key: detachKey(key), value }
    this.#entries.set(this.#canonical(key), entry)
    return entry
  }

  remove(key: Key): boolean {
    const removed = this.#entries.delete(this.#canonical(key))
    if (this.#entries.size === 0) this.#onEmpty()
    return removed
  }

  entries(): Iterable<StateEntry<unknown>> {
    return this.#entries.values()
  }
}
