import { canonicalKey } from '@flink-ts/serialization'
import type { Key, StateTable } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type {
  AggregatingState,
  Aggregation,
  ListState,
  MapState,
  ReducingState,
  Reduction,
  ValueState,
} from '../../api/user-states.ts'

/** Where a state keeps its values. */
export interface StatePlace {
  /** Of the current namespace. */
  table(): StateTable<unknown>
  /** The current key; may throw. */
  key(): Key
}

/**
 * User-facing states of all kinds on any tables, in the simplest way: one entry of the table for each key, lists as
 * arrays, maps as Maps from the canonical key to `[key, value]`. For backends that have nothing better, and for tests.
 */
export function makePlainUserState(descriptor: StateDescriptor<unknown>, place: StatePlace): unknown {
  const get = (): unknown => place.table().find(place.key())?.value
  const set = (value: unknown): void => {
    const table = place.table()
    const entry = table.find(place.key())
    if (entry === undefined) table.insert(place.key(), value)
    else entry.value = value
  }
  const clear = (): void => {
    place.table().remove(place.key())
  }
  switch (descriptor.kind) {
    case 'value':
    case 'internal': {
      const state: ValueState<unknown> = {
        value: () => (place.table().find(place.key()) ?? { value: descriptor.defaultValue }).value,
        update: value => (value === undefined ? clear() : set(value)),
        clear,
      }
      return state
    }
    case 'list': {
      const list = (): unknown[] => (get() as unknown[] | undefined) ?? []
      const update = (values: Iterable<unknown>): void => {
        const next = [...values]
        if (next.length === 0) clear()
        else set(next)
      }
      const state: ListState<unknown> = {
        get: list,
        add: value => update([...list(), value]),
        addAll: values => update([...list(), ...values]),
        update,
        clear,
      }
      return state
    }
    case 'reducing': {
      const reduction = descriptor.reduction as Reduction<unknown>
      const reduce = typeof reduction === 'function' ? reduction : reduction.reduce.bind(reduction)
      const state: ReducingState<unknown> = {
        get,
        add: value => {
          const entry = place.table().find(place.key())
          set(entry === undefined ? value : reduce(entry.value, value))
        },
        clear,
      }
      return state
    }
    case 'aggregating': {
      const aggregation = descriptor.aggregation as Aggregation<unknown, unknown, unknown>
      const state: AggregatingState<unknown, unknown> = {
        get: () => {
          const entry = place.table().find(place.key())
          return entry === undefined ? undefined : aggregation.getResult(entry.value)
        },
        add: value => {
          const entry = place.table().find(place.key())
          set(aggregation.add(value, entry === undefined ? aggregation.createAccumulator() : entry.value))
        },
        clear,
      }
      return state
    }
    case 'map':
      return mapState(get, set, clear)
  }
}

function mapState(
  get: () => unknown,
  set: (value: unknown) => void,
  clear: () => void,
): MapState<unknown, unknown> {
  type Entries = Map<unknown, [unknown, unknown]>
  const entries = (): Entries => (get() as Entries | undefined) ?? new Map()
  const put = (key: unknown, value: unknown): void => {
    if (value === undefined) {
      remove(key)
      return
    }
    const next = entries()
    next.set(canonicalKey(key), [key, value])
    set(next)
  }
  const remove = (key: unknown): void => {
    const next = entries()
    next.delete(canonicalKey(key))
    if (next.size === 0) clear()
  }
  return {
    get: key => entries().get(canonicalKey(key))?.[1],
    put,
    putAll: items => {
      for (const [key, value] of items) put(key, value)
    },
    remove,
    contains: key => entries().has(canonicalKey(key)),
    entries: () => entries().values(),
    keys: () => [...entries().values()].map(([key]) => key),
    values: () => [...entries().values()].map(([, value]) => value),
    isEmpty: () => entries().size === 0,
    clear,
  }
}
