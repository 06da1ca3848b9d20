import type { Collector, OutputTag } from '../functions/collector.ts'
import type { AggregateFunction, ReduceFunction } from '../functions/functions.ts'
import type { RichFunction } from '../functions/rich-function.ts'
import type { KeyedStateStore } from './keyed-state-store.ts'
import type { TimeWindow, Window } from './time-window.ts'

/** Makes the output of one key and window from its aggregate: what `aggregate` and `reduce` take beside theirs. */
export type WindowResultFunction<K, A, R, W extends Window = TimeWindow> = (key: K, window: W, result: A) => R

// biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
type Results<R> = Iterable<R> | void

/**
 * Sees all records of one key and window when it fires, in the order of their arrival. Results go to `out`, or are
 * returned as an iterable.
 * @example (key, window, clicks, out) => out(`${key} ${window.start} ${clicks.length}`)
 */
export type WindowFunction<K, T, R, W extends Window = TimeWindow> =
  | ((key: K, window: W, elements: readonly T[], out: Collector<R>) => Results<R>)
  | (RichFunction & { apply(key: K, window: W, elements: readonly T[], out: Collector<R>): Results<R> })

/** {@link WindowFunction} of windows without keys. */
export type AllWindowFunction<T, R, W extends Window = TimeWindow> =
  | ((window: W, elements: readonly T[], out: Collector<R>) => Results<R>)
  | (RichFunction & { apply(window: W, elements: readonly T[], out: Collector<R>): Results<R> })

/** Surroundings of a window that fires. Valid only during the call. */
export interface ProcessWindowContext<W extends Window = TimeWindow> {
  readonly window: W
  currentWatermark(): number
  currentProcessingTime(): number
  /** State of this key and window. It ends with the window. Not with windows that merge. */
  readonly windowState: KeyedStateStore
  /** State of this key, over all windows. */
  readonly globalState: KeyedStateStore
  /** Emits to a side output. */
  output<O>(tag: OutputTag<O>, value: O): void
}

/**
 * Sees a window that fires with its surroundings. Given beside a reduce or aggregate function it gets one element, their
 * result.
 * @example class Report implements ProcessWindowFunction<Click, string, string> {
 *   process(user: string, context: ProcessWindowContext, clicks: readonly Click[], out: Collector<string>) {
 *     out(`${user} clicked ${clicks.length} times until ${context.window.end}`)
 *   }
 * }
 */
export interface ProcessWindowFunction<T, R, K, W extends Window = TimeWindow> extends RichFunction {
  process(key: K, context: ProcessWindowContext<W>, elements: readonly T[], out: Collector<R>): Results<R>
  /** At the end of the window's life, when allowed lateness is over. */
  clear?(context: ProcessWindowContext<W>): void
}

/** {@link ProcessWindowFunction} of windows without keys. */
export interface ProcessAllWindowFunction<T, R, W extends Window = TimeWindow> extends RichFunction {
  process(context: ProcessWindowContext<W>, elements: readonly T[], out: Collector<R>): Results<R>
  /** At the end of the window's life, when allowed lateness is over. */
  clear?(context: ProcessWindowContext<W>): void
}

/** What a window keeps of its records. */
export type WindowAggregation<T> =
  | { readonly type: 'aggregate'; readonly aggregate: AggregateFunction<T, unknown, unknown> }
  | { readonly type: 'reduce'; readonly reduce: ReduceFunction<T> }
  | { readonly type: 'list' }

/** What a window that fires emits; undefined: the aggregate itself. */
export type WindowOutput<K, W extends Window> =
  | { readonly type: 'result'; readonly function: WindowResultFunction<K, unknown, unknown, W> }
  | { readonly type: 'apply'; readonly function: WindowFunction<K, unknown, unknown, W> }
  | { readonly type: 'process'; readonly function: ProcessWindowFunction<unknown, unknown, K, W> }
