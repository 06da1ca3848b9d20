import { canonicalKey } from '@flink-ts/serialization'
import {
  type BroadcastState,
  type Key,
  type KeyedStateBackend,
  type KeyGroupedParticipant,
  type MapStateDescriptor,
  makePlainUserState,
  type NamespaceBoundState,
  type NamespacedState,
  type OperatorListState,
  type OperatorStateBackend,
  type StateDescriptor,
  type StateEntry,
  type StateTable,
  type TimerEntry,
} from '@flink-ts/state'
import { InMemoryBroadcastState } from './in-memory-broadcast-state.ts'

type Namespace = string | number | undefined

/** Keyed state as plain data. */
export interface KeyedSnapshot {
  readonly states: readonly { name: string; namespace: Namespace; key: Key; value: unknown }[]
  readonly timers: readonly { name: string; entry: TimerEntry }[]
}

class InMemoryTable<V> implements StateTable<V> {
  readonly map = new Map<unknown, StateEntry<V>>()
  /** Counts changes of the set of keys: walking over a table that changes is an error here. */
  changes = 0

  get size(): number {
    return this.map.size
  }

  find(key: Key): StateEntry<V> | undefined {
    return this.map.get(canonicalKey(key))
  }

  findMany(keys: readonly Key[], count: number, entries: (StateEntry<V> | undefined)[]): void {
    for (let i = 0; i < count; i++) entries[i] = this.find(keys[i])
  }

  insert(key: Key, value: V): StateEntry<V> {
    if (this.find(key) !== undefined) throw new Error(`insert of an existing key ${String(key)}`)
    const entry = { key, value }
    this.map.set(canonicalKey(key), entry)
    this.changes++
    return entry
  }

  remove(key: Key): boolean {
    this.changes++
    return this.map.delete(canonicalKey(key))
  }

  *entries(): Iterable<StateEntry<V>> {
    const changes = this.changes
    for (const entry of this.map.values()) {
      if (this.changes !== changes) throw new Error('table changed during a walk')
      yield entry
    }
  }
}

class InMemoryNamespaces<V> implements NamespacedState<V> {
  readonly tables = new Map<Namespace, InMemoryTable<V>>()

  table(namespace: Namespace): InMemoryTable<V> {
    let table = this.tables.get(namespace)
    if (table === undefined) {
      table = new InMemoryTable<V>()
      this.tables.set(namespace, table)
    }
    return table
  }

  existing(namespace: Namespace): InMemoryTable<V> | undefined {
    return this.tables.get(namespace)
  }

  namespaces(): Iterable<Namespace> {
    return this.tables.keys()
  }

  drop(namespace: Namespace): void {
    this.tables.delete(namespace)
  }
}

/** A keyed backend for operator tests: strict about the contract, snapshots by structured clone. */
export class InMemoryKeyedState implements KeyedStateBackend {
  readonly keyGroupRange = { start: 0, end: 127 }
  readonly maxParallelism = 128
  readonly #states = new Map<string, InMemoryNamespaces<unknown>>()
  readonly #participants = new Map<string, KeyGroupedParticipant>()
  readonly #restored: KeyedSnapshot | undefined
  #key: Key

  constructor(restored?: KeyedSnapshot) {
    this.#restored = restored
    for (const { name, namespace, key, value } of restored?.states ?? []) {
      this.#namespaces(name).table(namespace).insert(key, structuredClone(value))
    }
  }

  setCurrentKey(key: Key): void {
    canonicalKey(key)
    this.#key = key
  }

  useTime(): void {}

  currentKey(): Key {
    return this.#key
  }

  namespacedState<V>(descriptor: StateDescriptor<V>): NamespacedState<V> {
    return this.#namespaces(descriptor.name) as unknown as NamespacedState<V>
  }

  state<S>(descriptor: StateDescriptor<unknown>): S {
    const table = this.#namespaces(descriptor.name).table(undefined)
    return makePlainUserState(descriptor, { table: () => table, key: () => this.#key }) as S
  }

  boundState<S>(descriptor: StateDescriptor<unknown>): NamespaceBoundState<S> {
    const namespaces = this.#namespaces(descriptor.name)
    let namespace: Namespace
    const state = makePlainUserState(descriptor, {
      table: () => namespaces.table(namespace),
      key: () => this.#key,
    }) as S
    return {
      state,
      setNamespace: next => {
        namespace = next
      },
    }
  }

  keys(descriptor: StateDescriptor<unknown>): Iterable<Key> {
    return [...this.#namespaces(descriptor.name).table(undefined).map.values()].map(entry => entry.key)
  }

  registerParticipant(name: string, participant: KeyGroupedParticipant): void {
    this.#participants.set(name, participant)
    const timers = this.#restored?.timers.filter(timer => timer.name === name) ?? []
    participant.restoreEntries(timers.map(timer => timer.entry))
  }

  snapshotNow(): KeyedSnapshot {
    const states: KeyedSnapshot['states'][number][] = []
    for (const [name, namespaces] of this.#states) {
      for (const [namespace, table] of namespaces.tables) {
        for (const { key, value } of table.map.values()) {
          states.push({ name, namespace, key, value: structuredClone(value) })
        }
      }
    }
    const timers = [...this.#participants].flatMap(([name, participant]) =>
      [...participant.snapshotEntries()].map(entry => ({ name, entry: { ...entry } })),
    )
    return { states, timers }
  }

  snapshot(): never {
    throw new Error('use snapshotNow')
  }

  cancelSnapshot(): void {}

  #namespaces(name: string): InMemoryNamespaces<unknown> {
    let state = this.#states.get(name)
    if (state === undefined) {
      state = new InMemoryNamespaces()
      this.#states.set(name, state)
    }
    return state
  }
}

/** Operator state as plain data: the elements of each list. */
export type OperatorSnapshot = Readonly<Record<string, readonly unknown[]>>

/** List states for operator tests. */
export class InMemoryOperatorState implements OperatorStateBackend {
  readonly #lists = new Map<string, unknown[]>()
  readonly #maps = new Map<string, InMemoryBroadcastState<unknown, unknown>>()

  constructor(restored: OperatorSnapshot = {}) {
    for (const [name, values] of Object.entries(restored)) this.#lists.set(name, structuredClone([...values]))
  }

  listState<T>(name: string): OperatorListState<T> {
    const list = (): unknown[] => this.#lists.get(name) ?? []
    return {
      get: () => list() as T[],
      add: value => {
        this.#lists.set(name, [...list(), value])
      },
      update: values => {
        this.#lists.set(name, [...values])
      },
      clear: () => {
        this.#lists.delete(name)
      },
    }
  }

  broadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    const { name } = descriptor
    let state = this.#maps.get(name)
    if (state === undefined) {
      state = new InMemoryBroadcastState((this.#lists.get(name) ?? []) as [unknown, unknown][])
      this.#maps.set(name, state)
    }
    return state as unknown as BroadcastState<K, V>
  }

  snapshotNow(): OperatorSnapshot {
    const maps = [...this.#maps].map(([name, state]) => [name, [...state.entries()]] as const)
    return structuredClone({ ...Object.fromEntries(this.#lists), ...Object.fromEntries(maps) })
  }

  snapshot(): never {
    throw new Error('use snapshotNow')
  }
}
