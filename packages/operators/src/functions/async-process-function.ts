import type {
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import type { Collector } from './collector.ts'
import type { KeyedProcessContext, OnTimerContext } from './functions.ts'
import type { RichFunction } from './rich-function.ts'

/**
 * Surroundings of one asynchronous call, until its promise settles. State, timers and results of the call take effect
 * together when it is over, and not at all if it fails: a snapshot in the middle holds none of them, and the record is
 * processed again after a restore. What states give are copies: call `update` to store what was changed.
 */
export interface AsyncKeyedContext<K> extends KeyedProcessContext<K> {
  /** Aborted when the time of the call is up or the task ends: hand it to `fetch` and the like. */
  readonly signal: AbortSignal
  getState<T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty>
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  getMapState<K2, V>(descriptor: MapStateDescriptor<K2, V>): MapState<K2, V>
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
}

/** {@link AsyncKeyedContext} of a timer. */
export interface AsyncOnTimerContext<K> extends AsyncKeyedContext<K>, Pick<OnTimerContext<K>, 'timeDomain'> {}

/**
 * Asynchronous work for the records of a keyed stream with the state and timers of their key. Records and timers of one
 * key are processed one after the other, in order; those of different keys at the same time.
 * @example class Score implements AsyncKeyedProcessFunction<string, Payment, Alert> {
 *   async processElement(payment: Payment, context: AsyncKeyedContext<string>, out: Collector<Alert>) {
 *     const sum = context.getState(new ValueStateDescriptor('sum', 0))
 *     const risk = await model.score(payment, sum.value() ?? 0, context.signal)
 *     sum.update((sum.value() ?? 0) + payment.amount)
 *     if (risk > 0.9) out({ card: context.currentKey, risk })
 *   }
 * }
 */
export interface AsyncKeyedProcessFunction<K, T, R> extends RichFunction {
  processElement(value: T, context: AsyncKeyedContext<K>, out: Collector<R>): Promise<void> | void
  onTimer?(timestamp: number, context: AsyncOnTimerContext<K>, out: Collector<R>): Promise<void> | void
}
