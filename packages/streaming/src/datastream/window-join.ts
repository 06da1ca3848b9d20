import {
  type CoGroupFunction,
  coGroupWindowFunction,
  type Duration,
  type Evictor,
  type FlatJoinFunction,
  type JoinFunction,
  joinWindowFunction,
  type KeySelector,
  type OutputTag,
  type TaggedUnion,
  type Trigger,
  type Window,
  type WindowAssigner,
  type WindowFunction,
} from '@flink-ts/operators'
import type { DataStream } from './data-stream.ts'
import type { KeyValue } from './key-value.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { WindowedStream } from './windowed-stream.ts'

/** Two streams that are to be matched by key and window: `where` gives the key of the first one. */
export class JoinedStreams<A, B> {
  readonly #left: DataStream<A>
  readonly #right: DataStream<B>

  /** Made by `join`. */
  constructor(left: DataStream<A>, right: DataStream<B>) {
    this.#left = left
    this.#right = right
  }

  /** The key of the first stream. */
  where<K extends KeyValue>(
    keySelector: KeySelector<A, K>,
  ): { equalTo: EqualTo<B, K, JoinedByKey<A, B, K>> } {
    requireFunction('join(...).where', 'keySelector', keySelector)
    return {
      equalTo: other => {
        requireFunction('join(...).where(...).equalTo', 'keySelector', other)
        return new JoinedByKey(sharedWindows(this.#left, this.#right, keySelector, other))
      },
    }
  }
}

/** Two streams that are to be grouped by key and window together: `where` gives the key of the first one. */
export class CoGroupedStreams<A, B> {
  readonly #left: DataStream<A>
  readonly #right: DataStream<B>

  /** Made by `coGroup`. */
  constructor(left: DataStream<A>, right: DataStream<B>) {
    this.#left = left
    this.#right = right
  }

  /** The key of the first stream. */
  where<K extends KeyValue>(
    keySelector: KeySelector<A, K>,
  ): { equalTo: EqualTo<B, K, CoGroupedByKey<A, B, K>> } {
    requireFunction('coGroup(...).where', 'keySelector', keySelector)
    return {
      equalTo: other => {
        requireFunction('coGroup(...).where(...).equalTo', 'keySelector', other)
        return new CoGroupedByKey(sharedWindows(this.#left, this.#right, keySelector, other))
      },
    }
  }
}

/** Takes the key of the second stream. */
type EqualTo<B, K, Next> = (keySelector: KeySelector<B, K>) => Next

/** Gives the windows that records of both streams share. */
type WindowsOf<A, B, K> = <W extends Window>(
  assigner: WindowAssigner<TaggedUnion<A, B>, W>,
) => WindowedStream<TaggedUnion<A, B>, K, W>

function sharedWindows<A, B, K extends KeyValue>(
  left: DataStream<A>,
  right: DataStream<B>,
  leftKey: KeySelector<A, K>,
  rightKey: KeySelector<B, K>,
): WindowsOf<A, B, K> {
  return assigner =>
    left
      .map<TaggedUnion<A, B>>(value => ({ side: 'left', value }))
      // Beside their inputs, which keeps the order of records.
      .setParallelism(left.getParallelism())
      .union(
        right
          .map<TaggedUnion<A, B>>(value => ({ side: 'right', value }))
          .setParallelism(right.getParallelism()),
      )
      .keyBy<K>(record => (record.side === 'left' ? leftKey(record.value) : rightKey(record.value)))
      .window(assigner)
}

/** {@link JoinedStreams} with both keys: `window` follows. */
export class JoinedByKey<A, B, K> {
  readonly #windows: WindowsOf<A, B, K>

  constructor(windows: WindowsOf<A, B, K>) {
    this.#windows = windows
  }

  /** The windows that both streams share. @example .window(TumblingEventTimeWindows.of('1 min')) */
  window<W extends Window>(assigner: WindowAssigner<TaggedUnion<A, B>, W>): JoinedInWindows<A, B, K, W> {
    return new JoinedInWindows(this.#windows(assigner))
  }
}

/** {@link CoGroupedStreams} with both keys: `window` follows. */
export class CoGroupedByKey<A, B, K> {
  readonly #windows: WindowsOf<A, B, K>

  constructor(windows: WindowsOf<A, B, K>) {
    this.#windows = windows
  }

  /** The windows that both streams share. @example .window(EventTimeSessionWindows.withGap('10 s')) */
  window<W extends Window>(assigner: WindowAssigner<TaggedUnion<A, B>, W>): CoGroupedInWindows<A, B, K, W> {
    return new CoGroupedInWindows(this.#windows(assigner))
  }
}

/** What joins and coGroups in windows have in common. */
class SharedWindows<A, B, K, W extends Window> {
  readonly #windows: WindowedStream<TaggedUnion<A, B>, K, W>

  constructor(windows: WindowedStream<TaggedUnion<A, B>, K, W>) {
    this.#windows = windows
  }

  /** When windows fire, instead of the assigner's default. */
  trigger(trigger: Trigger<TaggedUnion<A, B>, W>): this {
    this.#windows.trigger(trigger)
    return this
  }

  /** Removes records before or after the function of a window that fires. */
  evictor(evictor: Evictor<TaggedUnion<A, B>, W>): this {
    this.#windows.evictor(evictor)
    return this
  }

  /** How long a window is kept after its end, to fire again with late records. */
  allowedLateness(lateness: Duration): this {
    this.#windows.allowedLateness(lateness)
    return this
  }

  /** Sends late records of both sides to a side output instead of dropping them. */
  sideOutputLateData(tag: OutputTag<TaggedUnion<A, B>>): this {
    this.#windows.sideOutputLateData(tag)
    return this
  }

  protected applied<R>(
    windowFunction: WindowFunction<K, TaggedUnion<A, B>, R, W>,
  ): SingleOutputStreamOperator<R> {
    return this.#windows.apply(windowFunction)
  }
}

/** A join in windows: {@link JoinedInWindows.apply} makes the results. */
export class JoinedInWindows<A, B, K, W extends Window> extends SharedWindows<A, B, K, W> {
  /**
   * Called for each pair of records of one key and window; records without a partner give nothing. A function gives one
   * result, an object with `flatJoin` any number.
   * @example .apply((order, payment) => ({ ...order, paid: payment.amount }))
   */
  apply<R>(joinFunction: JoinFunction<A, B, R> | FlatJoinFunction<A, B, R>): SingleOutputStreamOperator<R> {
    const flat = typeof joinFunction === 'object' && joinFunction !== null && 'flatJoin' in joinFunction
    requireFunction('join(...).apply', flat ? 'flatJoin' : 'join', joinFunction)
    return this.applied(joinWindowFunction(joinFunction))
  }
}

/** A coGroup in windows: {@link CoGroupedInWindows.apply} makes the results. */
export class CoGroupedInWindows<A, B, K, W extends Window> extends SharedWindows<A, B, K, W> {
  /**
   * Called for each key and window with records of at least one side: for outer joins and the like.
   * @example .apply((orders, payments) => payments.length === 0 ? orders.map(order => ({ ...order, paid: 0 })) : [])
   */
  apply<R>(coGroupFunction: CoGroupFunction<A, B, R>): SingleOutputStreamOperator<R> {
    requireFunction('coGroup(...).apply', 'coGroup', coGroupFunction)
    return this.applied(coGroupWindowFunction(coGroupFunction))
  }
}
