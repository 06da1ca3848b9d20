import type { Collector, OutputTag } from './collector.ts'
import type { RichFunction } from './rich-function.ts'

// biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
type Results<R> = Iterable<R> | void

/** Surroundings of one pair of an interval join. Times are milliseconds since the epoch. */
export interface JoinContext {
  readonly leftTimestamp: number
  readonly rightTimestamp: number
  /** The later of the two: the timestamp of what is emitted. */
  timestamp(): number
  /** Emits to a side output. */
  output<O>(tag: OutputTag<O>, value: O): void
}

/** Makes results of one pair: a function gives exactly one, an object with `processElement` any number. */
export type ProcessJoinFunction<A, B, R> =
  | ((left: A, right: B) => R)
  | (RichFunction & { processElement(left: A, right: B, context: JoinContext, out: Collector<R>): void })

/** Makes one result of a pair of a window join. */
export type JoinFunction<A, B, R> =
  | ((left: A, right: B) => R)
  | (RichFunction & { join(left: A, right: B): R })

/** Makes any number of results of a pair of a window join. */
export interface FlatJoinFunction<A, B, R> extends RichFunction {
  flatJoin(left: A, right: B, out: Collector<R>): Results<R>
}

/** Makes any number of results of all records of one key and window of two streams; one of the two may be empty. */
export type CoGroupFunction<A, B, R> =
  | ((left: readonly A[], right: readonly B[], out: Collector<R>) => Results<R>)
  | (RichFunction & { coGroup(left: readonly A[], right: readonly B[], out: Collector<R>): Results<R> })
