import type {
  AggregateFunction,
  AllWindowFunction,
  Collector,
  Duration,
  Evictor,
  OutputTag,
  ProcessAllWindowFunction,
  ProcessWindowFunction,
  ReduceFunction,
  RichFunction,
  TimeWindow,
  Trigger,
  Window,
  WindowFunction,
} from '@flink-ts/operators'
import type { Comparable, ComparedBy, FieldOf, Summable } from './field-aggregation.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { WindowedStream, WindowResult } from './windowed-stream.ts'

/** What a window without keys gives in place of its aggregate: see {@link WindowResult}. */
export type AllWindowResult<A, R, W extends Window> =
  | ((window: W, result: A) => R)
  | ProcessAllWindowFunction<A, R, W>
  | Exclude<AllWindowFunction<A, R, W>, (...args: never) => unknown>

/**
 * A stream without keys in windows: all records pass through one subtask.
 * @example readings.windowAll(TumblingEventTimeWindows.of('1 min')).sum('count')
 */
export class AllWindowedStream<T, W extends Window = TimeWindow> {
  /** All records have the same key. */
  readonly #windows: WindowedStream<T, number, W>

  /** Made by `windowAll`. */
  constructor(windows: WindowedStream<T, number, W>) {
    this.#windows = windows
  }

  /** See {@link WindowedStream.trigger}. */
  trigger(trigger: Trigger<T, W>): this {
    this.#windows.trigger(trigger)
    return this
  }

  /** See {@link WindowedStream.evictor}. */
  evictor(evictor: Evictor<T, W>): this {
    this.#windows.evictor(evictor)
    return this
  }

  /** See {@link WindowedStream.allowedLateness}. */
  allowedLateness(lateness: Duration): this {
    this.#windows.allowedLateness(lateness)
    return this
  }

  /** Sends late records to a side output instead of dropping them. */
  sideOutputLateData(tag: OutputTag<T>): this {
    this.#windows.sideOutputLateData(tag)
    return this
  }

  /** Combines the records of each window into one as they come. */
  reduce(reducer: ReduceFunction<T>): SingleOutputStreamOperator<T>
  reduce<R>(reducer: ReduceFunction<T>, result: AllWindowResult<T, R, W>): SingleOutputStreamOperator<R>
  reduce(reducer: ReduceFunction<T>, result?: AllWindowResult<T, unknown, W>): unknown {
    if (result === undefined) return this.#windows.reduce(reducer)
    return this.#windows.reduce(reducer, withKey('reduce', result))
  }

  /** Aggregates the records of each window as they come. */
  aggregate<Acc, R>(aggregate: AggregateFunction<T, Acc, R>): SingleOutputStreamOperator<R>
  aggregate<Acc, A, R>(
    aggregate: AggregateFunction<T, Acc, A>,
    result: AllWindowResult<A, R, W>,
  ): SingleOutputStreamOperator<R>
  aggregate(
    aggregate: AggregateFunction<T, unknown, unknown>,
    result?: AllWindowResult<unknown, unknown, W>,
  ): unknown {
    if (result === undefined) return this.#windows.aggregate(aggregate)
    return this.#windows.aggregate(aggregate, withKey('aggregate', result))
  }

  /** All records of each window that fires, in the order of their arrival. */
  apply<R>(windowFunction: AllWindowFunction<T, R, W>): SingleOutputStreamOperator<R> {
    requireFunction('apply', 'apply', windowFunction)
    if (typeof windowFunction === 'function') {
      return this.#windows.apply<R>((_key, window, elements, out) => windowFunction(window, elements, out))
    }
    return this.#windows.apply<R>(withKey('apply', windowFunction) as WindowFunction<number, T, R, W>)
  }

  /** As `apply`, with time, side outputs and state. */
  process<R>(windowFunction: ProcessAllWindowFunction<T, R, W>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'process', windowFunction, true)
    return this.#windows.process<R>(
      withKey('process', windowFunction) as ProcessWindowFunction<T, R, number, W>,
    )
  }

  /** See {@link WindowedStream.fold}. */
  fold<A>(initial: A, folder: (accumulated: A, value: T) => A): SingleOutputStreamOperator<A> {
    return this.#windows.fold(initial, folder)
  }

  /** See {@link WindowedStream.sum}. */
  sum(field: FieldOf<T, Summable>): SingleOutputStreamOperator<T> {
    return this.#windows.sum(field)
  }

  /** See {@link WindowedStream.min}. */
  min(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#windows.min(field)
  }

  /** See {@link WindowedStream.max}. */
  max(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#windows.max(field)
  }

  /** See {@link WindowedStream.minBy}. */
  minBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#windows.minBy(by, first)
  }

  /** See {@link WindowedStream.maxBy}. */
  maxBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#windows.maxBy(by, first)
  }
}

/** The function of a window without keys as one of a window with a key that says nothing. */
function withKey<A, R, W extends Window>(
  call: string,
  result: AllWindowResult<A, R, W>,
): WindowResult<number, A, R, W> {
  if (typeof result === 'function') return (_key, window, value) => result(window, value)
  const type = typeof (result as { process?: unknown })?.process === 'function' ? 'process' : 'apply'
  requireFunction(`${call} (window function)`, type, result, true)
  const rich: RichFunction = result
  const lifecycle: RichFunction = {
    ...(rich.open === undefined ? {} : { open: context => rich.open?.(context) }),
    ...(rich.close === undefined ? {} : { close: () => rich.close?.() }),
  }
  if (type === 'apply') {
    const { apply } = result as { apply(window: W, elements: readonly A[], out: Collector<R>): void }
    return { ...lifecycle, apply: (_key, window, elements, out) => apply.call(result, window, elements, out) }
  }
  const process = result as ProcessAllWindowFunction<A, R, W>
  return {
    ...lifecycle,
    process: (_key, context, elements, out) => process.process(context, elements, out),
    ...(process.clear === undefined ? {} : { clear: context => process.clear?.(context) }),
  }
}
