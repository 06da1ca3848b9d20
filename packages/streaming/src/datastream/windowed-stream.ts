import {
  type AggregateFunction,
  type KeySelector,
  type OperatorFactory,
  type OutputTag,
  type ReduceFunction,
  type TumblingEventTimeWindows,
  tumblingWindowOperator,
  type WindowFunction,
} from '@flink-ts/operators'
import type { SingleOutputStreamOperator } from './data-stream.ts'
import { requireFunction } from './require-function.ts'

/** Adds the operator of a window to the graph: the windowed stream itself knows no graph. */
export type AddWindowOperator = <R>(call: string, factory: OperatorFactory) => SingleOutputStreamOperator<R>

/** A keyed stream in windows. Each window fires once, when the watermark passes its end; late records are dropped. */
export class WindowedStream<T, K> {
  readonly #assigner: TumblingEventTimeWindows
  readonly #keySelector: KeySelector<T, K>
  readonly #add: AddWindowOperator
  #lateTag: string | undefined

  constructor(assigner: TumblingEventTimeWindows, keySelector: KeySelector<T, K>, add: AddWindowOperator) {
    this.#assigner = assigner
    this.#keySelector = keySelector
    this.#add = add
  }

  /** Sends late records to a side output instead of dropping them. */
  sideOutputLateData(tag: OutputTag<T>): this {
    this.#lateTag = tag.id
    return this
  }

  /**
   * Aggregates the records of each key and window, and makes the result from the aggregate, its key and window.
   * @example .aggregate(delays, (origin, window, result) => ({ origin, day: window.start, ...result }))
   */
  aggregate<Acc, R>(aggregate: AggregateFunction<T, Acc, R>): SingleOutputStreamOperator<R>
  aggregate<Acc, A, R>(
    aggregate: AggregateFunction<T, Acc, A>,
    windowFunction: WindowFunction<K, A, R>,
  ): SingleOutputStreamOperator<R>
  aggregate(
    aggregate: AggregateFunction<T, unknown, unknown>,
    windowFunction?: WindowFunction<K, unknown, unknown>,
  ): SingleOutputStreamOperator<unknown> {
    for (const method of ['createAccumulator', 'add', 'getResult']) {
      requireFunction('aggregate', method, aggregate, true)
    }
    return this.#apply('aggregate', windowFunction, { type: 'aggregate', aggregate })
  }

  /** Combines the records of each key and window into one. */
  reduce(reducer: ReduceFunction<T>): SingleOutputStreamOperator<T>
  reduce<R>(
    reducer: ReduceFunction<T>,
    windowFunction: WindowFunction<K, T, R>,
  ): SingleOutputStreamOperator<R>
  reduce(
    reducer: ReduceFunction<T>,
    windowFunction?: WindowFunction<K, T, T>,
  ): SingleOutputStreamOperator<T> {
    requireFunction('reduce', 'reduce', reducer)
    const makeResult = windowFunction as WindowFunction<K, unknown, unknown> | undefined
    return this.#apply<T>('reduce', makeResult, { type: 'reduce', reduce: reducer })
  }

  #apply<R>(
    call: string,
    windowFunction: WindowFunction<K, unknown, unknown> | undefined,
    aggregation: Parameters<typeof tumblingWindowOperator<K, T>>[0]['aggregation'],
  ): SingleOutputStreamOperator<R> {
    if (windowFunction !== undefined) requireFunction(call, 'window function', windowFunction)
    const factory = tumblingWindowOperator<K, T>({
      assigner: this.#assigner,
      keySelector: this.#keySelector,
      aggregation,
      windowFunction,
      lateTag: this.#lateTag,
    })
    return this.#add(call, factory)
  }
}
