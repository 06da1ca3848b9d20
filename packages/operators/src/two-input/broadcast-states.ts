import type { BroadcastState, MapStateDescriptor, ReadOnlyBroadcastState } from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { UnknownBroadcastState } from '../errors.ts'

type AnyMapDescriptor = MapStateDescriptor<unknown, unknown>

/** The broadcast states of one operator instance, for both of its sides. Owner: the slot thread. */
export class BroadcastStates {
  readonly #operatorName: string
  readonly #states: ReadonlyMap<string, BroadcastState<unknown, unknown>>
  readonly #readOnly: ReadonlyMap<string, ReadOnlyBroadcastState<unknown, unknown>>

  constructor(context: OperatorContext, descriptors: readonly AnyMapDescriptor[]) {
    this.#operatorName = context.operatorName
    this.#states = new Map(
      descriptors.map(descriptor => [descriptor.name, context.operatorState.broadcastState(descriptor)]),
    )
    this.#readOnly = new Map([...this.#states].map(([name, state]) => [name, readOnly(state)]))
  }

  /** For the broadcast side. */
  writable<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    return this.#known(this.#states, descriptor.name) as BroadcastState<K, V>
  }

  /** For the other side. */
  readable<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V> {
    return this.#known(this.#readOnly, descriptor.name) as ReadOnlyBroadcastState<K, V>
  }

  #known<S>(states: ReadonlyMap<string, S>, name: string): S {
    const state = states.get(name)
    if (state !== undefined) return state
    const known = [...states.keys()].join(', ')
    throw UnknownBroadcastState({ operator: this.#operatorName, state: name, known })
  }
}

/** The state without the methods that change it: programs without type checks would make the subtasks differ. */
function readOnly(state: BroadcastState<unknown, unknown>): ReadOnlyBroadcastState<unknown, unknown> {
  return {
    get: key => state.get(key),
    contains: key => state.contains(key),
    immutableEntries: () => state.immutableEntries(),
  }
}
