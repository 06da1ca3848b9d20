import { canonicalKey } from '@flink-ts/serialization'
import type {
  KeyedStateBackend,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  Reduction,
  StateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'

/** The states of one key as one call sees and changes them, until it is over. Owner: the operator's slot thread. */
export class StateTransaction {
  readonly #backend: KeyedStateBackend
  readonly #key: unknown
  readonly #states = new Map<string, { readonly state: unknown; commit(): void }>()
  readonly #requireOpen: () => void

  /** @param requireOpen throws when the call is over */
  constructor(backend: KeyedStateBackend, key: unknown, requireOpen: () => void) {
    this.#backend = backend
    this.#key = key
    this.#requireOpen = requireOpen
  }

  /** Makes all changes. The backend's current key must be that of the call. */
  commit(): void {
    for (const { commit } of this.#states.values()) commit()
  }

  value<T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty> {
    return this.#of(descriptor, (stored: () => ValueState<T, Empty>) => {
      let known = false
      let changed = false
      let value: T | undefined
      const set = (next: T | undefined): void => {
        this.#requireOpen()
        known = true
        changed = true
        value = next
      }
      const state: ValueState<T, Empty> = {
        value: () => {
          if (!known) {
            value = copyOf(stored().value()) as T | undefined
            known = true
          }
          // Without a default `Empty` is undefined.
          return (value === undefined ? copyOf(descriptor.defaultValue) : value) as T | Empty
        },
        update: set,
        clear: () => set(undefined),
      }
      const commit = (): void => {
        if (!changed) return
        if (value === undefined) stored().clear()
        else stored().update(value)
      }
      return { state, commit }
    })
  }

  list<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.#of(descriptor, (stored: () => ListState<T>) => {
      let replaced: T[] | undefined
      const added: T[] = []
      const update = (values: Iterable<T>): void => {
        this.#requireOpen()
        replaced = [...values]
        added.length = 0
      }
      const addAll = (values: Iterable<T>): void => {
        this.#requireOpen()
        for (const value of values) added.push(value)
      }
      const state: ListState<T> = {
        get: () => [...(replaced ?? copyOf([...stored().get()])), ...added],
        add: value => addAll([value]),
        addAll,
        update,
        clear: () => update([]),
      }
      const commit = (): void => {
        if (replaced !== undefined) stored().update(replaced)
        if (added.length > 0) stored().addAll(added)
      }
      return { state, commit }
    })
  }

  map<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return this.#of(descriptor, (stored: () => MapState<K, V>) => {
      let cleared = false
      /** Undefined: removed. */
      const changes = new Map<unknown, readonly [K, V | undefined]>()
      const put = (key: K, value: V | undefined): void => {
        this.#requireOpen()
        changes.set(canonicalKey(key), [key, value])
      }
      const get = (key: K): V | undefined => {
        const change = changes.get(canonicalKey(key))
        if (change !== undefined) return change[1]
        return cleared ? undefined : copyOf(stored().get(key))
      }
      const entries = (): [K, V][] => {
        const base = cleared ? [] : [...stored().entries()]
        const unchanged = base.filter(([key]) => !changes.has(canonicalKey(key)))
        const changed = [...changes.values()].filter(
          (entry): entry is readonly [K, V] => entry[1] !== undefined,
        )
        return [
          ...unchanged.map(([key, value]): [K, V] => [key, copyOf(value)]),
          ...changed.map(([key, value]): [K, V] => [key, value]),
        ]
      }
      const state: MapState<K, V> = {
        get,
        put,
        putAll: given => {
          for (const [key, value] of given) put(key, value)
        },
        remove: key => put(key, undefined),
        contains: key => get(key) !== undefined,
        entries,
        keys: () => entries().map(([key]) => key),
        values: () => entries().map(([, value]) => value),
        isEmpty: () => entries().length === 0,
        clear: () => {
          this.#requireOpen()
          cleared = true
          changes.clear()
        },
      }
      const commit = (): void => {
        if (cleared) stored().clear()
        for (const [key, value] of changes.values()) {
          if (value === undefined) stored().remove(key)
          else stored().put(key, value)
        }
      }
      return { state, commit }
    })
  }

  reducing<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    const { reduction } = descriptor as { reduction: Reduction<T> }
    const reduce = typeof reduction === 'function' ? reduction : (a: T, b: T) => reduction.reduce(a, b)
    return this.#of(descriptor, (stored: () => ReducingState<T>) => {
      let cleared = false
      let added: T[] = []
      const state: ReducingState<T> = {
        get: () => {
          const base = cleared ? undefined : copyOf(stored().get())
          return added.reduce<T | undefined>(
            (sum, value) => (sum === undefined ? copyOf(value) : reduce(sum, value)),
            base,
          )
        },
        add: value => {
          this.#requireOpen()
          added.push(value)
        },
        clear: () => {
          this.#requireOpen()
          cleared = true
          added = []
        },
      }
      const commit = (): void => {
        if (cleared) stored().clear()
        for (const value of added) stored().add(value)
      }
      return { state, commit }
    })
  }

  #of<S>(
    descriptor: StateDescriptor<unknown>,
    make: (stored: () => S) => { readonly state: S; commit(): void },
  ): S {
    this.#requireOpen()
    let entry = this.#states.get(descriptor.name)
    if (entry === undefined) {
      const shared = this.#backend.state<S>(descriptor)
      // Other calls have had their turn in between.
      const stored = (): S => {
        this.#backend.setCurrentKey(this.#key)
        return shared
      }
      entry = make(stored)
      this.#states.set(descriptor.name, entry)
    }
    return entry.state as S
  }
}

/** What user code may change in place must not be what is stored. */
function copyOf<T>(value: T): T {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value
}
