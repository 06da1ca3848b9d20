/** Names a state and says what it holds. The kind is checked when a snapshot is restored. */
export interface StateDescriptor<V> {
  readonly kind: 'value' | 'list' | 'map' | 'reducing' | 'aggregating' | 'internal'
  readonly name: string
  /** Given for keys without a value (ValueState). */
  readonly defaultValue?: V | undefined
}

/** One value for each key. */
export interface ValueState<T> {
  /** The value of the current key, or the descriptor's default, or undefined. */
  value(): T | undefined
  update(value: T): void
  clear(): void
}

/** Descriptor of a {@link ValueState}. */
export class ValueStateDescriptor<T> implements StateDescriptor<T> {
  readonly kind = 'value'
  readonly name: string
  readonly defaultValue: T | undefined

  constructor(name: string, defaultValue?: T) {
    this.name = name
    this.defaultValue = defaultValue
  }
}
