import type { Collector, OutputTag } from './collector.ts'
import type { RichFunction } from './rich-function.ts'

/** One result for each record: a function, or an object with `map` and a life cycle. */
export type MapFunction<T, R> = ((value: T) => R) | (RichFunction & { map(value: T): R })

// biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
type Results<R> = Iterable<R> | void

/** Any number of results for each record: given to `out`, or returned as an iterable. */
export type FlatMapFunction<T, R> =
  | ((value: T, out: Collector<R>) => Results<R>)
  | (RichFunction & { flatMap(value: T, out: Collector<R>): Results<R> })

/** Keeps a record if it returns true. */
export type FilterFunction<T> = ((value: T) => boolean) | (RichFunction & { filter(value: T): boolean })

/** Combines two records into one of the same type. Must not change its arguments: they were emitted. */
export type ReduceFunction<T> = ((left: T, right: T) => T) | (RichFunction & { reduce(left: T, right: T): T })

/** The key of a record: a string, number, boolean, bigint or Date, or a flat array or object of these. */
export type KeySelector<T, K> = (value: T) => K

/**
 * Incremental aggregation. `add` may change the accumulator in place and return it: that is the fastest way.
 * @example const mean: AggregateFunction<number, { n: number; sum: number }, number> = {
 *   createAccumulator: () => ({ n: 0, sum: 0 }),
 *   add: (value, acc) => { acc.n++; acc.sum += value; return acc },
 *   getResult: acc => acc.sum / acc.n,
 * }
 */
export interface AggregateFunction<T, Acc, R> {
  createAccumulator(): Acc
  add(value: T, accumulator: Acc): Acc
  getResult(accumulator: Acc): R
  /**
   * Joins two accumulators; needed by sessions, and makes sliding windows cheaper. May change `left` and return it, must
   * leave `right` as it is.
   */
  merge?(left: Acc, right: Acc): Acc
}

/** Time in a process function. Times are milliseconds since the epoch. */
export interface TimerService {
  currentWatermark(): number
  currentProcessingTime(): number
  /** Has `onTimer` called when event time reaches `timestamp`. One timer for each key and time, however often asked. */
  registerEventTimeTimer(timestamp: number): void
  deleteEventTimeTimer(timestamp: number): void
  registerProcessingTimeTimer(timestamp: number): void
  deleteProcessingTimeTimer(timestamp: number): void
}

/** Surroundings of one call of a process function. Valid only during the call. */
export interface ProcessContext {
  /** Event time of the record or timer; undefined if the record has none. */
  timestamp(): number | undefined
  readonly timerService: TimerService
  /** Emits to a side output. */
  output<O>(tag: OutputTag<O>, value: O): void
}

/** {@link ProcessContext} behind keyBy. */
export interface KeyedProcessContext<K> extends ProcessContext {
  readonly currentKey: K
}

/** {@link KeyedProcessContext} of a timer. */
export interface OnTimerContext<K> extends KeyedProcessContext<K> {
  readonly timeDomain: 'event-time' | 'processing-time'
}

/** Sees each record with its surroundings. Timers need keyBy. */
export interface ProcessFunction<T, R> extends RichFunction {
  processElement(value: T, context: ProcessContext, out: Collector<R>): void
}

/**
 * The lowest level of the API behind keyBy: records, state and timers.
 * @example class CountPerKey implements KeyedProcessFunction<string, Click, Count> {
 *   #count!: ValueState<number>
 *   open(context: RuntimeContext) { this.#count = context.getState(new ValueStateDescriptor('count', 0)) }
 *   processElement(click: Click, context: KeyedProcessContext<string>, out: Collector<Count>) {
 *     const count = this.#count.value()! + 1
 *     this.#count.update(count)
 *     out({ user: context.currentKey, count })
 *   }
 * }
 */
export interface KeyedProcessFunction<K, T, R> extends RichFunction {
  processElement(value: T, context: KeyedProcessContext<K>, out: Collector<R>): void
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void
}
