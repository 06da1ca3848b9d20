/** Combines two values into one. The left one is in the state, and may be changed in place and returned. */
export type Reduction<T> = ((left: T, right: T) => T) | { reduce(left: T, right: T): T }

/** Folds inputs into an accumulator, which may be changed in place and returned. */
export interface Aggregation<In, Acc, Out> {
  createAccumulator(): Acc
  add(value: In, accumulator: Acc): Acc
  getResult(accumulator: Acc): Out
}

/** What all states bound to the current key have. Calls without a key throw `state.no-current-key`. */
export interface State {
  /** Removes what is stored for the current key. */
  clear(): void
}

/**
 * One value for each key. `Empty` is what a key without a value gives: undefined, or nothing of the kind (`never`) if the
 * descriptor has a default.
 */
export interface ValueState<T, Empty = undefined> extends State {
  /** The value of the current key, or the descriptor's default, or undefined. */
  value(): T | Empty
  /** Undefined clears. */
  update(value: T): void
}

/** State that values are added to one by one. */
export interface AppendingState<In, Out> extends State {
  /** What was made of the values added so far; undefined if there are none (lists: nothing to iterate over). */
  get(): Out | undefined
  add(value: In): void
}

/** A list for each key, in the order of its additions. */
export interface ListState<T> extends AppendingState<T, Iterable<T>> {
  /** The elements, as they come; the list must not change meanwhile. Elements may be changed in place when handed out. */
  get(): Iterable<T>
  /** Undefined and null are refused with `state.invalid-element`, as in Flink. */
  add(value: T): void
  addAll(values: Iterable<T>): void
  /** Replaces all elements. */
  update(values: Iterable<T>): void
}

/** One value for each key, made of all values added by the descriptor's reduction. */
export interface ReducingState<T> extends AppendingState<T, T> {}

/** One accumulator for each key; `get` gives its result. */
export interface AggregatingState<In, Out> extends AppendingState<In, Out> {}

/**
 * A map for each key. Its own keys are compared by value, as keys of streams are: strings, numbers, booleans, bigints,
 * Dates, flat arrays or objects of these. Entries come in no particular order; they may be removed while one goes
 * through them.
 */
export interface MapState<K, V> extends State {
  get(key: K): V | undefined
  /** Undefined removes the entry. */
  put(key: K, value: V): void
  putAll(entries: Iterable<readonly [K, V]>): void
  remove(key: K): void
  contains(key: K): boolean
  entries(): Iterable<[K, V]>
  keys(): Iterable<K>
  values(): Iterable<V>
  isEmpty(): boolean
}

/** What the side of a broadcast connection that gets the keyed or plain records sees of broadcast state. */
export interface ReadOnlyBroadcastState<K, V> {
  get(key: K): V | undefined
  contains(key: K): boolean
  /** Must not be changed. */
  immutableEntries(): Iterable<readonly [K, V]>
}

/** A map of an operator, the same in all subtasks: all get the same broadcast records, and each keeps a copy. */
export interface BroadcastState<K, V> extends ReadOnlyBroadcastState<K, V> {
  put(key: K, value: V): void
  putAll(entries: Iterable<readonly [K, V]>): void
  remove(key: K): void
  entries(): Iterable<readonly [K, V]>
  clear(): void
}
