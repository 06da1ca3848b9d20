import type { WindowAggregation } from './window-functions.ts'

/** Pieces of generated code for what a window keeps. `f` is {@link AggregationCode.function}. */
export interface AggregationCode {
  /** Bound to `f`: the user's function, or undefined. */
  readonly function: unknown
  /** For messages: `the aggregate function of the window`. */
  readonly functionName: string
  /** Expression for the contents after `value` was added to `entry`, which may be undefined. */
  readonly add: string
  /** Expression for what the function of the window gets, from `contents`. */
  readonly result: string
  /** Expression for the contents of `left` and `right` together. */
  readonly merge: string
}

/** @param stored expression for what is kept of a record */
export function aggregationCode<T>(aggregation: WindowAggregation<T>, stored = 'value'): AggregationCode {
  if (aggregation.type === 'aggregate') {
    return {
      function: aggregation.aggregate,
      functionName: 'the aggregate function of the window',
      add: `f.add(${stored}, entry === undefined ? f.createAccumulator() : entry.value)`,
      result: 'f.getResult(contents)',
      merge: 'f.merge(left, right)',
    }
  }
  if (aggregation.type === 'reduce') {
    const call = typeof aggregation.reduce === 'function' ? 'f' : 'f.reduce'
    return {
      function: aggregation.reduce,
      functionName: 'the reduce function of the window',
      add: `entry === undefined ? ${stored} : ${call}(entry.value, ${stored})`,
      result: 'contents',
      merge: `${call}(left, right)`,
    }
  }
  return {
    function: undefined,
    functionName: 'the window',
    add: `entry === undefined ? [${stored}] : (entry.value.push(${stored}), entry.value)`,
    result: 'contents',
    merge: 'left.concat(right)',
  }
}

/** Makes the function that computes a whole window at once: with an evictor, the contents are all records. */
export function foldOf<T>(aggregation: WindowAggregation<T>): (values: readonly unknown[]) => unknown {
  if (aggregation.type === 'aggregate') {
    const { aggregate } = aggregation
    return values =>
      aggregate.getResult(
        values.reduce<unknown>((acc, value) => aggregate.add(value as T, acc), aggregate.createAccumulator()),
      )
  }
  if (aggregation.type === 'reduce') {
    const { reduce } = aggregation
    const combine = typeof reduce === 'function' ? reduce : (a: T, b: T) => reduce.reduce(a, b)
    return values => values.reduce((a, b) => combine(a as T, b as T))
  }
  return values => values
}

/**
 * Accumulators that have been handed out: a window that fires again must not change what was emitted. Owner: one
 * operator instance; nothing of it is in snapshots, which are copies anyway.
 */
export class EmittedAccumulators {
  readonly #emitted = new WeakSet<object>()
  #any = false

  add(accumulator: unknown): void {
    if (typeof accumulator !== 'object' || accumulator === null) return
    this.#any = true
    this.#emitted.add(accumulator)
  }

  /** The entry, with an accumulator of its own. */
  own<E extends { value: unknown }>(entry: E | undefined): E | undefined {
    if (!this.#any || entry === undefined) return entry
    const accumulator = entry.value
    if (typeof accumulator === 'object' && accumulator !== null && this.#emitted.has(accumulator)) {
      entry.value = structuredClone(accumulator)
    }
    return entry
  }
}
