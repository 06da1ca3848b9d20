import type { Collector } from './collector.ts'
import type { KeyedProcessContext, OnTimerContext, ProcessContext } from './functions.ts'
import type { RichFunction } from './rich-function.ts'

// biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
type Results<R> = Iterable<R> | void

/** One result for each record of two connected streams. */
export interface CoMapFunction<A, B, R> extends RichFunction {
  map1(value: A): R
  map2(value: B): R
}

/** Any number of results for each record of two connected streams: given to `out`, or returned as an iterable. */
export interface CoFlatMapFunction<A, B, R> extends RichFunction {
  flatMap1(value: A, out: Collector<R>): Results<R>
  flatMap2(value: B, out: Collector<R>): Results<R>
}

/** Sees the records of two connected streams with their surroundings. Timers and keyed state need keys. */
export interface CoProcessFunction<A, B, R> extends RichFunction {
  processElement1(value: A, context: ProcessContext, out: Collector<R>): void
  processElement2(value: B, context: ProcessContext, out: Collector<R>): void
}

/**
 * Records of two keyed streams with state and timers that both share: the state of a key is the same from either side.
 * @example class Enrich implements KeyedCoProcessFunction<string, Ride, Fare, [Ride, Fare]> {
 *   #ride!: ValueState<Ride>
 *   open(context: RuntimeContext) { this.#ride = context.getState(new ValueStateDescriptor('ride')) }
 *   processElement1(ride: Ride) { this.#ride.update(ride) }
 *   processElement2(fare: Fare, _context: KeyedProcessContext<string>, out: Collector<[Ride, Fare]>) {
 *     const ride = this.#ride.value()
 *     if (ride !== undefined) out([ride, fare])
 *   }
 * }
 */
export interface KeyedCoProcessFunction<K, A, B, R> extends RichFunction {
  processElement1(value: A, context: KeyedProcessContext<K>, out: Collector<R>): void
  processElement2(value: B, context: KeyedProcessContext<K>, out: Collector<R>): void
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void
}
