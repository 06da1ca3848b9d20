import {
  type AggregateFunction,
  type Duration,
  durationMs,
  type Evictor,
  isMerging,
  type KeySelector,
  type OperatorFactory,
  type OutputTag,
  type ProcessWindowFunction,
  type ReduceFunction,
  type TimeWindow,
  type Trigger,
  type Window,
  type WindowAggregation,
  type WindowAssigner,
  type WindowFunction,
  type WindowOptions,
  type WindowOutput,
  type WindowResultFunction,
  windowOperator,
} from '@flink-ts/operators'
import { AggregateCannotMerge, InvalidArgument } from '../errors.ts'
import {
  type Comparable,
  type ComparedBy,
  extremeBy,
  extremeOf,
  type FieldOf,
  type Summable,
  sumOf,
} from './field-aggregation.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

/** Adds the operator of a window to the graph: the windowed stream itself knows no graph. */
export type AddWindowOperator = <R>(
  call: string,
  defaultName: string,
  factory: OperatorFactory,
) => SingleOutputStreamOperator<R>

/**
 * What a window gives in place of its aggregate: a function of key, window and result, or an object with `process` or
 * `apply`, which gets one element, the result.
 */
export type WindowResult<K, A, R, W extends Window> =
  | WindowResultFunction<K, A, R, W>
  | ProcessWindowFunction<A, R, K, W>
  | Exclude<WindowFunction<K, A, R, W>, (...args: never) => unknown>

/**
 * A keyed stream in windows. By default each window fires once, when it is over, and late records are dropped.
 * @example clicks
 *   .keyBy(click => click.user)
 *   .window(SlidingEventTimeWindows.of('10 min', '1 min'))
 *   .allowedLateness('1 min')
 *   .aggregate(countClicks, (user, window, count) => ({ user, until: window.end, count }))
 */
export class WindowedStream<T, K, W extends Window = TimeWindow> {
  readonly #assigner: WindowAssigner<T, W>
  readonly #keySelector: KeySelector<T, K>
  readonly #add: AddWindowOperator
  #trigger: Trigger<T, W> | undefined
  #evictor: Evictor<T, W> | undefined
  #allowedLatenessMs = 0
  #lateTag: string | undefined

  /** Made by `window`. @throws streaming.invalid-argument */
  constructor(assigner: WindowAssigner<T, W>, keySelector: KeySelector<T, K>, add: AddWindowOperator) {
    requireFunction('window', 'assignWindows', assigner, true)
    requireFunction('window', 'getDefaultTrigger', assigner, true)
    this.#assigner = assigner
    this.#keySelector = keySelector
    this.#add = add
  }

  /** When windows fire, instead of the assigner's default. @throws streaming.invalid-argument */
  trigger(trigger: Trigger<T, W>): this {
    for (const method of ['onElement', 'onEventTime', 'onProcessingTime', 'clear']) {
      requireFunction('trigger', method, trigger, true)
    }
    if (isMerging(this.#assigner) && !trigger.canMerge()) {
      throw InvalidArgument({
        call: 'trigger',
        value: `${trigger.constructor.name}, which does not support windows that merge (sessions)`,
        expected: 'a trigger whose canMerge() is true',
      })
    }
    this.#trigger = trigger
    return this
  }

  /** Removes records before or after the function of a window that fires. All records of a window are kept then. */
  evictor(evictor: Evictor<T, W>): this {
    for (const method of ['evictBefore', 'evictAfter']) requireFunction('evictor', method, evictor, true)
    this.#evictor = evictor
    return this
  }

  /**
   * Keeps a window so long after the watermark passed its end; it fires again with each record that comes late until
   * then. Only in event time.
   */
  allowedLateness(lateness: Duration): this {
    this.#allowedLatenessMs = durationMs(lateness, 'allowedLateness')
    return this
  }

  /** Sends late records to a side output instead of dropping them. */
  sideOutputLateData(tag: OutputTag<T>): this {
    if (typeof tag?.id !== 'string') {
      const expected = "a tag: new OutputTag('late')"
      throw InvalidArgument({ call: 'sideOutputLateData', value: String(tag), expected })
    }
    this.#lateTag = tag.id
    return this
  }

  /** Combines the records of each key and window into one as they come. */
  reduce(reducer: ReduceFunction<T>): SingleOutputStreamOperator<T>
  reduce<R>(reducer: ReduceFunction<T>, result: WindowResult<K, T, R, W>): SingleOutputStreamOperator<R>
  reduce(reducer: ReduceFunction<T>, result?: WindowResult<K, T, unknown, W>): unknown {
    requireFunction('reduce', 'reduce', reducer)
    return this.#apply('reduce', { type: 'reduce', reduce: reducer }, this.#resultOf('reduce', result))
  }

  /**
   * Aggregates the records of each key and window as they come, and makes the result from the aggregate, its key and
   * window.
   * @example .aggregate(delays, (origin, window, result) => ({ origin, day: window.start, ...result }))
   */
  aggregate<Acc, R>(aggregate: AggregateFunction<T, Acc, R>): SingleOutputStreamOperator<R>
  aggregate<Acc, A, R>(
    aggregate: AggregateFunction<T, Acc, A>,
    result: WindowResult<K, A, R, W>,
  ): SingleOutputStreamOperator<R>
  aggregate(
    aggregate: AggregateFunction<T, unknown, unknown>,
    result?: WindowResult<K, unknown, unknown, W>,
  ): unknown {
    for (const method of ['createAccumulator', 'add', 'getResult']) {
      requireFunction('aggregate', method, aggregate, true)
    }
    if (isMerging(this.#assigner) && this.#evictor === undefined && typeof aggregate.merge !== 'function') {
      throw AggregateCannotMerge({ call: 'aggregate' })
    }
    return this.#apply('aggregate', { type: 'aggregate', aggregate }, this.#resultOf('aggregate', result))
  }

  /** All records of each key and window that fires, in the order of their arrival. */
  apply<R>(windowFunction: WindowFunction<K, T, R, W>): SingleOutputStreamOperator<R> {
    requireFunction('apply', 'apply', windowFunction)
    const output = { type: 'apply', function: windowFunction } as WindowOutput<K, W>
    return this.#apply('apply', { type: 'list' }, output)
  }

  /** As `apply`, with time, side outputs, state of the window and of the key. */
  process<R>(windowFunction: ProcessWindowFunction<T, R, K, W>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'process', windowFunction, true)
    const output = { type: 'process', function: windowFunction } as WindowOutput<K, W>
    return this.#apply('process', { type: 'list' }, output)
  }

  /** Flink's old name of an aggregation that starts from a value. Prefer `aggregate`. Not with sessions. */
  fold<A>(initial: A, folder: (accumulated: A, value: T) => A): SingleOutputStreamOperator<A> {
    requireFunction('fold', 'fold', folder)
    if (isMerging(this.#assigner)) throw AggregateCannotMerge({ call: 'fold' })
    const aggregate: AggregateFunction<T, unknown, unknown> = {
      createAccumulator: () => structuredClone(initial),
      add: (value, accumulated) => folder(accumulated as A, value),
      getResult: accumulated => accumulated,
    }
    return this.#apply('fold', { type: 'aggregate', aggregate }, undefined)
  }

  /** Adds up a field; the other fields are those of the first record. @example .sum('count') */
  sum(field: FieldOf<T, Summable>): SingleOutputStreamOperator<T> {
    return this.#apply('sum', { type: 'reduce', reduce: sumOf('sum', field) }, undefined)
  }

  /** The least value of a field; the other fields are those of the first record. See {@link WindowedStream.minBy}. */
  min(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#apply('min', { type: 'reduce', reduce: extremeOf('min', field, 1) }, undefined)
  }

  /** The greatest value of a field; the other fields are those of the first record. See {@link WindowedStream.maxBy}. */
  max(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#apply('max', { type: 'reduce', reduce: extremeOf('max', field, -1) }, undefined)
  }

  /** The record with the least value; of equal ones the first to come, or the last. */
  minBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#apply('minBy', { type: 'reduce', reduce: extremeBy('minBy', by, 1, first) }, undefined)
  }

  /** The record with the greatest value; of equal ones the first to come, or the last. */
  maxBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#apply('maxBy', { type: 'reduce', reduce: extremeBy('maxBy', by, -1, first) }, undefined)
  }

  #resultOf<A>(
    call: string,
    result: WindowResult<K, A, unknown, W> | undefined,
  ): WindowOutput<K, W> | undefined {
    if (result === undefined) return undefined
    if (typeof result === 'object' && result !== null) {
      const type = typeof (result as { process?: unknown }).process === 'function' ? 'process' : 'apply'
      requireFunction(`${call} (window function)`, type, result, true)
      return { type, function: result } as WindowOutput<K, W>
    }
    requireFunction(`${call} (window function)`, 'process', result)
    return { type: 'result', function: result } as WindowOutput<K, W>
  }

  #apply<R>(
    call: string,
    aggregation: WindowAggregation<T>,
    output: WindowOutput<K, W> | undefined,
  ): SingleOutputStreamOperator<R> {
    const options: WindowOptions<K, T, W> = {
      assigner: this.#assigner,
      trigger: this.#trigger,
      evictor: this.#evictor,
      keySelector: this.#keySelector,
      aggregation,
      output,
      allowedLatenessMs: this.#allowedLatenessMs,
      lateTag: this.#lateTag,
    }
    return this.#add<R>(call, nameOf(this.#assigner), windowOperator(options))
  }
}

/** `TumblingEventTimeWindows` is shown as `Tumbling Window`. */
function nameOf(assigner: object): string {
  // Bundlers rename classes, with a character more in front or behind.
  const kind = /Tumbling|Sliding|Global|Session/.exec(assigner.constructor.name)?.[0]
  return kind === undefined ? 'Window' : `${kind} Window`
}
