import type { NamespacedState } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { CopyOnWrite } from './copy-on-write.ts'
import { HeapTable } from './heap-table.ts'

/** All tables of one state. A dropped namespace keeps its entries for the open snapshot, which holds its maps. */
export class HeapState<V> implements NamespacedState<V> {
  readonly name: string
  readonly kind: StateDescriptor<V>['kind']
  readonly #copyOnWrite: CopyOnWrite
  readonly #tables = new Map<string | number | undefined, HeapTable<V>>()

  constructor(
    options: { name: string; kind: StateDescriptor<V>['kind'] },
    dependencies: { copyOnWrite: CopyOnWrite },
  ) {
    this.name = options.name
    this.kind = options.kind
    this.#copyOnWrite = dependencies.copyOnWrite
  }

  table(namespace: string | number | undefined): HeapTable<V> {
    let table = this.#tables.get(namespace)
    if (table === undefined) {
      table = new HeapTable({ state: this, namespace }, { copyOnWrite: this.#copyOnWrite })
      this.#tables.set(namespace, table)
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
    if (this.#tables.delete(namespace)) this.#copyOnWrite.generation++
  }

  tables(): Iterable<HeapTable<V>> {
    return this.#tables.values()
  }
}
