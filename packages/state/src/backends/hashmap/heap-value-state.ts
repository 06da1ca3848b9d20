import { createValueSerializer } from '@flink-ts/serialization'
import type { StateDescriptor, ValueState } from '../../api/state-descriptor.ts'
import type { CopyOnWrite } from './copy-on-write.ts'
import { detachString } from './detach.ts'
import type { HeapEntry } from './heap-entry.ts'
import type { HeapTable } from './heap-table.ts'

/** What a state bound to the current key needs of its backend. `key` throws where there is none. */
export interface CurrentKey {
  key(stateName: string): unknown
}

/**
 * A {@link ValueState} on a table. The entry found last is kept until the key or the generation changes, so that
 * `value` and `update` of one record look it up once. Owner: the operator instance.
 */
export class HeapValueState<T> implements ValueState<T> {
  readonly #table: HeapTable<T>
  readonly #currentKey: CurrentKey
  readonly #copyOnWrite: CopyOnWrite
  readonly #makeDefault: () => T | undefined
  #entry: HeapEntry<T> | undefined
  #generation = -1

  constructor(
    descriptor: StateDescriptor<T>,
    dependencies: { table: HeapTable<T>; currentKey: CurrentKey; copyOnWrite: CopyOnWrite },
  ) {
    this.#table = dependencies.table
    this.#currentKey = dependencies.currentKey
    this.#copyOnWrite = dependencies.copyOnWrite
    this.#makeDefault = defaultMaker(descriptor.defaultValue)
  }

  value(): T | undefined {
    const entry = this.#find()
    return entry === undefined ? this.#makeDefault() : entry.value
  }

  update(value: T): void {
    if (value === undefined) {
      this.clear()
      return
    }
    const entry = this.#find()
    if (entry !== undefined) entry.value = typeof value === 'string' ? (detachString(value) as T) : value
    else this.#entry = this.#table.insert(this.#currentKey.key(this.#table.state.name), value)
  }

  clear(): void {
    this.#table.remove(this.#currentKey.key(this.#table.state.name))
  }

  #find(): HeapEntry<T> | undefined {
    if (this.#generation !== this.#copyOnWrite.generation || this.#entry === undefined) {
      this.#entry = this.#table.find(this.#currentKey.key(this.#table.state.name))
      this.#generation = this.#copyOnWrite.generation
    }
    return this.#entry
  }
}

/** Each key gets a default of its own: one that is changed in place must not show up at other keys. */
function defaultMaker<T>(value: T | undefined): () => T | undefined {
  if (typeof value !== 'object' || value === null) return () => value
  const serializer = createValueSerializer()
  const bytes = serializer.encode(value)
  return () => serializer.decode(bytes) as T
}
