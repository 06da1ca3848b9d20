import { InvalidDescriptor } from '../errors.ts'
import type { StateTtlConfig } from './state-ttl-config.ts'
import type { StateType } from './state-type.ts'
import type { Aggregation, Reduction } from './user-states.ts'

/** Names a state and says what it holds. The kind is checked when a snapshot is restored. */
export interface StateDescriptor<V> {
  readonly kind: 'value' | 'list' | 'map' | 'reducing' | 'aggregating' | 'internal'
  readonly name: string
  /** Given for keys without a value (ValueState). */
  readonly defaultValue?: V | undefined
  /** Time to live; absent: values stay until they are cleared. */
  readonly ttl?: StateTtlConfig | undefined
  /** Declared shape of values (of elements, in lists and maps): stored ones are fitted to it, or refused. */
  readonly type?: StateType | undefined
  /** Turns a value of a snapshot whose shape does not fit `type` into one of now; without it those are refused. */
  readonly migrate?: ((stored: never) => unknown) | undefined
  /** Of kind `reducing`. */
  readonly reduction?: unknown
  /** Of kind `aggregating`. */
  readonly aggregation?: unknown
}

/** What all descriptors take beside their name. */
export interface StateOptions {
  readonly ttl?: StateTtlConfig
  /**
   * The shape of values; for lists and maps, of their elements and values. With it, what a snapshot has is fitted: fields that are
   * no longer declared are dropped, new ones get their defaults, numbers become bigints. What cannot be fitted is
   * refused when the state is opened, naming the field and both types.
   */
  readonly type?: StateType
  /** Called with each stored value that does not fit `type`; its result must. */
  readonly migrate?: (stored: never) => unknown
}

/** What the descriptors have in common. Not used as a type: {@link StateDescriptor} is. */
abstract class Descriptor {
  readonly name: string
  readonly type: StateType | undefined
  readonly migrate: ((stored: never) => unknown) | undefined
  #ttl: StateTtlConfig | undefined

  constructor(name: string, options: StateOptions) {
    if (typeof name !== 'string' || name === '') {
      throw InvalidDescriptor({ name: String(name), reason: 'give it a name, a text that is not empty' })
    }
    if (options.migrate !== undefined && options.type === undefined) {
      throw InvalidDescriptor({
        name,
        reason: '`migrate` is called for what does not fit `type`: declare that too',
      })
    }
    this.name = name
    this.type = options.type
    this.migrate = options.migrate
    this.#ttl = options.ttl
  }

  get ttl(): StateTtlConfig | undefined {
    return this.#ttl
  }

  /** Has an effect before the state is asked for. Can be switched on, off or changed for state that exists. */
  enableTimeToLive(ttl: StateTtlConfig): this {
    this.#ttl = ttl
    return this
  }
}

/** Descriptor of a {@link ValueState}; `Empty` as there. */
export interface ValueStateDescriptor<T, Empty = undefined> extends Descriptor {
  readonly kind: 'value'
  readonly defaultValue: T | undefined
  /** Only for its type. */
  readonly empty?: Empty
}

/** A class whose instances know by their type whether there is a default. @throws state.invalid-descriptor if the name is empty */
interface ValueStateDescriptorClass {
  new <T>(name: string, defaultValue?: undefined, options?: StateOptions): ValueStateDescriptor<T>
  new <T>(name: string, defaultValue: T, options?: StateOptions): ValueStateDescriptor<T, never>
  new <T>(name: string, defaultValue: T | undefined, options?: StateOptions): ValueStateDescriptor<T>
}

/** Descriptor of a {@link ValueState}. @example new ValueStateDescriptor('count', 0) */
export const ValueStateDescriptor: ValueStateDescriptorClass = class ValueStateDescriptor<T>
  extends Descriptor
  implements StateDescriptor<T>
{
  readonly kind = 'value'
  readonly defaultValue: T | undefined

  constructor(name: string, defaultValue?: T, options: StateOptions = {}) {
    super(name, options)
    this.defaultValue = defaultValue
  }
}

/** Descriptor of a {@link ListState} with elements of type T; of an operator list as well. */
export class ListStateDescriptor<T> extends Descriptor implements StateDescriptor<T> {
  readonly kind = 'list'
  /** Only for its type. */
  declare readonly element?: T

  /** @throws state.invalid-descriptor */
  constructor(name: string, options: StateOptions = {}) {
    super(name, options)
  }
}

/** Descriptor of a {@link MapState}, or of broadcast state. Its keys are of the same types as keys of streams. */
export class MapStateDescriptor<K, V> extends Descriptor implements StateDescriptor<V> {
  readonly kind = 'map'
  /** Only for its type. */
  declare readonly key?: K
  /** Only for its type. */
  declare readonly value?: V

  /** @throws state.invalid-descriptor */
  constructor(name: string, options: StateOptions = {}) {
    super(name, options)
  }
}

/** Descriptor of a {@link ReducingState}. */
export class ReducingStateDescriptor<T> extends Descriptor implements StateDescriptor<T> {
  readonly kind = 'reducing'
  readonly reduction: Reduction<T>

  /** @throws state.invalid-descriptor */
  constructor(name: string, reduction: Reduction<T>, options: StateOptions = {}) {
    super(name, options)
    this.reduction = reduction
  }
}

/** Descriptor of an {@link AggregatingState}. What is stored is the accumulator. */
export class AggregatingStateDescriptor<In, Acc, Out> extends Descriptor implements StateDescriptor<Acc> {
  readonly kind = 'aggregating'
  readonly aggregation: Aggregation<In, Acc, Out>

  /** @throws state.invalid-descriptor */
  constructor(name: string, aggregation: Aggregation<In, Acc, Out>, options: StateOptions = {}) {
    super(name, options)
    this.aggregation = aggregation
  }
}
