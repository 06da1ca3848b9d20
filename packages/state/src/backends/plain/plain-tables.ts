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
    const table = new PlainTable(this.#canonical)
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
  readonly #entries = new Map<unknown, StateEntry<unknown>>()

  constructor(canonical: (key: Key) => unknown) {
    this.#canonical = canonical
  }

  get size(): number {
    return this.#entries.size
  }

  find(key: Key): StateEntry<unknown> | undefined {
    return this.#entries.get(this.#canonical(key))
  }

  insert(key: Key, value: unknown): StateEntry<unknown> {
    if (this.find(key) !== undefined)
      throw DuplicateInsert({ name: 'of the plain backend', key: inspect(key) })
    const entry = { key: detachKey(key), value }
    this.#entries.set(this.#canonical(key), entry)
    return entry
  }

  remove(key: Key): boolean {
    return this.#entries.delete(this.#canonical(key))
  }

  entries(): Iterable<StateEntry<unknown>> {
    return this.#entries.values()
  }
}
