import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  NamespaceBoundState,
  ReducingState,
  ReducingStateDescriptor,
  State,
  StateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'

/** Gives the state that belongs to a descriptor. */
export interface StateGetter {
  <T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty>
  <T>(descriptor: ListStateDescriptor<T>): ListState<T>
  <K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  <T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  <In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>
}

/** State by descriptor: of the key, or of the key and window, whose turn it is. */
export interface KeyedStateStore {
  getState<T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty>
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  getAggregatingState<In, Acc, Out>(
    descriptor: AggregatingStateDescriptor<In, Acc, Out>,
  ): AggregatingState<In, Out>
}

/** A store on top of one function. */
export function keyedStateStoreOf(get: (descriptor: StateDescriptor<unknown>) => unknown): KeyedStateStore {
  const getter = get as <D, S>(descriptor: D) => S
  return {
    getState: getter,
    getListState: getter,
    getMapState: getter,
    getReducingState: getter,
    getAggregatingState: getter,
  }
}

type Namespace = string | number

/**
 * States of windows: of a trigger, or of a window function. They are named `<prefix>/<name>` in snapshots and belong to
 * the backend's current key. Owner: one operator instance.
 */
export class WindowStates {
  readonly #context: OperatorContext
  readonly #prefix: string
  readonly #states = new Map<string, NamespaceBoundState<State>>()

  constructor(context: OperatorContext, prefix: string) {
    this.#context = context
    this.#prefix = prefix
  }

  /** The state of the current key in `namespace`. */
  get(descriptor: StateDescriptor<unknown>, namespace: Namespace): State {
    const bound = this.#states.get(descriptor.name) ?? this.#open(descriptor)
    bound.setNamespace(namespace)
    return bound.state
  }

  /** Removes what the current key has in `namespace`. */
  clear(namespace: Namespace): void {
    for (const bound of this.#states.values()) {
      bound.setNamespace(namespace)
      bound.state.clear()
    }
  }

  #open(descriptor: StateDescriptor<unknown>): NamespaceBoundState<State> {
    // Written out: some are getters of the class.
    const named: StateDescriptor<unknown> = {
      kind: descriptor.kind,
      name: `${this.#prefix}/${descriptor.name}`,
      defaultValue: descriptor.defaultValue,
      ttl: descriptor.ttl,
      type: descriptor.type,
      migrate: descriptor.migrate,
      reduction: descriptor.reduction,
      aggregation: descriptor.aggregation,
    }
    const bound = this.#context.keyedState.boundState<State>(named)
    this.#states.set(descriptor.name, bound)
    return bound
  }
}
