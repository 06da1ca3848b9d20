import type { StateTable } from '../../api/keyed-state-backend.ts'
import type { ValueState } from '../../api/user-states.ts'
import { NoCurrentKey } from '../../errors.ts'
import type { HeapState } from './heap-state.ts'
import type { KeyCursor } from './key-cursor.ts'

/** {@link ValueState} in a namespace that changes: of windows. Owner: the backend. */
export class BoundValueState<T> implements ValueState<T> {
  readonly #tables: HeapState<T>
  readonly #defaultValue: T | undefined
  readonly #cursor: KeyCursor
  #namespace: string | number | undefined

  constructor(tables: HeapState<T>, defaultValue: T | undefined, cursor: KeyCursor) {
    this.#tables = tables
    this.#defaultValue = defaultValue
    this.#cursor = cursor
  }

  setNamespace(namespace: string | number): void {
    this.#namespace = namespace
  }

  value(): T | undefined {
    const entry = this.#table()?.find(this.#key())
    return entry === undefined ? structuredClone(this.#defaultValue) : entry.value
  }

  update(value: T): void {
    if (value === undefined) {
      this.clear()
      return
    }
    const table = this.#tables.table(this.#namespace)
    const entry = table.find(this.#key())
    if (entry === undefined) table.insert(this.#key(), value)
    else entry.value = this.#tables.own(value, entry.value) as T
  }

  clear(): void {
    const table = this.#table()
    if (table?.remove(this.#key()) === true && table.size === 0) this.#tables.drop(this.#namespace)
  }

  #table(): StateTable<T> | undefined {
    return this.#tables.existing(this.#namespace)
  }

  #key(): unknown {
    if (!this.#cursor.hasKey) throw NoCurrentKey({ name: this.#tables.name })
    return this.#cursor.key
  }
}
