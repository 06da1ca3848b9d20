import type { NamespacedState } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { ValueState } from '../../api/user-states.ts'
import { generateHeapTable, type HeapTableClass } from './generate-heap-table.ts'
import { generateValueState, type ValueStateMaker } from './generate-value-state.ts'
import type { HeapTable, TableDependencies } from './heap-table.ts'

/** All tables of one state. A dropped namespace keeps its entries for the open snapshot, which holds its maps. */
export class HeapState<V> implements NamespacedState<V> {
  readonly name: string
  readonly kind: StateDescriptor<V>['kind']
  readonly #dependencies: TableDependencies
  readonly #Table: HeapTableClass<V>
  readonly #tables = new Map<string | number | undefined, HeapTable<V>>()

  #valueStates: ValueStateMaker<V> | undefined

  constructor(options: { name: string; kind: StateDescriptor<V>['kind'] }, dependencies: TableDependencies) {
    this.name = options.name
    this.kind = options.kind
    this.#dependencies = dependencies
    this.#Table = generateHeapTable<V>(dependencies)
  }

  /** The state of the current key in the only namespace. Code is generated once, whatever the number of calls. */
  valueState(defaultValue: V | undefined): ValueState<V> {
    this.#valueStates ??= generateValueState(this.table(undefined), this.#dependencies)
    return this.#valueStates(defaultValue)
  }

  table(namespace: string | number | undefined): HeapTable<V> {
    let table = this.#tables.get(namespace)
    if (table === undefined) {
      table = new this.#Table({ state: this, namespace }, this.#dependencies)
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
    if (this.#tables.delete(namespace)) this.#dependencies.cursor.advance()
  }

  tables(): Iterable<HeapTable<V>> {
    return this.#tables.values()
  }
}
