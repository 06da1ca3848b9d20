import {
  type AsyncKeyedProcessFunction,
  type Duration,
  type EdgePartitioner,
  type GlobalWindow,
  GlobalWindows,
  type KeyedProcessFunction,
  type KeySelector,
  keyedFinalReduceOperator,
  keyedProcessOperator,
  keyedReduceOperator,
  type ReduceFunction,
  type TimeWindow,
  type Window,
  type WindowAssigner,
} from '@flink-ts/operators'
import { InvalidArgument, KeyedPartitioning } from '../errors.ts'
import type { Upstream } from '../graph/stream-graph.ts'
import { type AsyncProcessOptions, asyncProcessOperator } from './async-data-stream.ts'
import { BroadcastStream, KeyedBroadcastConnectedStream } from './broadcast-stream.ts'
import { type ConnectedStreams, KeyedConnectedStreams } from './connected-streams.ts'
import { DataStream } from './data-stream.ts'
import {
  type Comparable,
  type ComparedBy,
  extremeBy,
  extremeOf,
  type FieldOf,
  type Summable,
  sumOf,
} from './field-aggregation.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { IntervalJoin } from './interval-join.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import { userPlace } from './user-place.ts'
import { countWindows, timeWindows } from './window-shorthands.ts'
import { WindowedStream } from './windowed-stream.ts'

/** A stream grouped by a key of type K. */
export class KeyedStream<T, K> extends DataStream<T> {
  readonly #keySelector: KeySelector<T, K>

  constructor(builder: GraphBuilder, upstreams: readonly Upstream[], keySelector: KeySelector<T, K>) {
    const partitioner: EdgePartitioner = {
      type: 'hash',
      keySelector: keySelector as (value: never) => unknown,
      place: userPlace(),
    }
    super(
      builder,
      upstreams.map(upstream => ({ ...upstream, partitioner })),
    )
    this.#keySelector = keySelector
  }

  /**
   * Combines the records of each key into one; emits the value so far for each record, in BATCH mode the last one only.
   * @example counts.keyBy(c => c.word).reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
   */
  reduce(reducer: ReduceFunction<T>): SingleOutputStreamOperator<T> {
    requireFunction('reduce', 'reduce', reducer)
    return this.#reduced('reduce', 'Keyed Reduce', reducer)
  }

  /**
   * The sum of a field so far, for each record; the other fields are those of the key's first record.
   * @example sales.keyBy(sale => sale.shop).sum('amount')
   */
  sum(field: FieldOf<T, Summable>): SingleOutputStreamOperator<T> {
    return this.#rolling('sum', sumOf('sum', field))
  }

  /** The least value of a field so far; the other fields are those of the key's first record. */
  min(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#rolling('min', extremeOf('min', field, 1))
  }

  /** The greatest value of a field so far; the other fields are those of the key's first record. */
  max(field: FieldOf<T, Comparable>): SingleOutputStreamOperator<T> {
    return this.#rolling('max', extremeOf('max', field, -1))
  }

  /** The whole record with the least value so far; of equal ones the first, or the last. */
  minBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#rolling('minBy', extremeBy('minBy', by, 1, first))
  }

  /**
   * The whole record with the greatest value so far; of equal ones the first, or the last.
   * @example bids.keyBy(bid => bid.auction).maxBy(bid => bid.price)
   */
  maxBy(by: ComparedBy<T>, first = true): SingleOutputStreamOperator<T> {
    return this.#rolling('maxBy', extremeBy('maxBy', by, -1, first))
  }

  #rolling(call: string, reducer: ReduceFunction<T>): SingleOutputStreamOperator<T> {
    return this.#reduced(call, 'Keyed Aggregation', reducer, { checksFirst: true })
  }

  #reduced(
    call: string,
    name: string,
    reducer: ReduceFunction<T>,
    options: { readonly checksFirst?: boolean } = {},
  ): SingleOutputStreamOperator<T> {
    const key = this.#keySelector
    const inBatch = () => keyedFinalReduceOperator(key, reducer)
    return this.transform(call, name, keyedReduceOperator(key, reducer, options), key, inBatch)
  }

  /** Records with state and timers of their key. */
  override process<R>(processFunction: KeyedProcessFunction<K, T, R>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'processElement', processFunction, true)
    const factory = keyedProcessOperator(this.#keySelector, processFunction)
    return this.transform('process', 'KeyedProcess', factory, this.#keySelector)
  }

  /**
   * Asynchronous work with the state and timers of each key: records of one key one after the other, those of different
   * keys at the same time, `capacity` of them in each subtask. State, timers and results of a call take effect together.
   * @example payments.keyBy(p => p.card).asyncProcess(new Score(), { capacity: 50, timeout: '5 s' })
   */
  asyncProcess<R>(
    processFunction: AsyncKeyedProcessFunction<K, T, R>,
    options: AsyncProcessOptions = {},
  ): SingleOutputStreamOperator<R> {
    const factory = asyncProcessOperator(this.#keySelector, processFunction, options)
    return this.transform('asyncProcess', 'Async Keyed Process', factory, this.#keySelector)
  }

  /** With a stream of the same kind of key: both share the state of a key. With any other stream: without keys. */
  override connect<O>(other: BroadcastStream<O>): KeyedBroadcastConnectedStream<T, O, K>
  override connect<O>(other: KeyedStream<O, K>): KeyedConnectedStreams<T, O, K>
  override connect<O>(other: DataStream<O>): ConnectedStreams<T, O>
  override connect<O>(
    other: DataStream<O> | KeyedStream<O, K> | BroadcastStream<O>,
  ): ConnectedStreams<T, O> | KeyedBroadcastConnectedStream<T, O, K> {
    if (other instanceof BroadcastStream) {
      const add = this.twoInputs(other.stream)
      return new KeyedBroadcastConnectedStream<T, O, K>(add, other.descriptors, this.#keySelector)
    }
    if (!(other instanceof KeyedStream)) return super.connect(other)
    const keyed = other as KeyedStream<O, K>
    return new KeyedConnectedStreams<T, O, K>(this.twoInputs(keyed), [this.#keySelector, keyed.#keySelector])
  }

  /**
   * Joins records of the same key whose event times are not too far apart.
   * @example rides.keyBy(r => r.id).intervalJoin(fares.keyBy(f => f.rideId)).between('-1 min', '5 min').process(merge)
   */
  intervalJoin<O>(other: KeyedStream<O, K>): IntervalJoin<T, O, K> {
    if (!(other instanceof KeyedStream)) {
      throw InvalidArgument({
        call: 'intervalJoin',
        value: String(other),
        expected: 'another keyed stream: stream.keyBy(...)',
      })
    }
    return new IntervalJoin<T, O, K>(this.twoInputs(other), [this.#keySelector, other.#keySelector])
  }

  /**
   * Groups the records of each key by windows.
   * @example .window(TumblingEventTimeWindows.of('1 min'))
   */
  window<W extends Window>(assigner: WindowAssigner<T, W>): WindowedStream<T, K, W> {
    return new WindowedStream<T, K, W>(assigner, this.#keySelector, (call, defaultName, factory) =>
      this.transform(call, defaultName, factory, this.#keySelector),
    )
  }

  /** As in Flink: whoever groups by key has said which subtask gets a record. */
  protected override partition(call: string): never {
    throw KeyedPartitioning({ call })
  }

  /** Functions get at state by their runtime context alone: others need no key, and cost nothing more. */
  protected override stateKeyFor(userFunction: unknown): KeySelector<T, K> | undefined {
    const isRich =
      typeof userFunction === 'object' &&
      userFunction !== null &&
      ('open' in userFunction || 'setRuntimeContext' in userFunction)
    return isRich ? this.#keySelector : undefined
  }

  /** Flink's old name of windows in event time: tumbling, or sliding with `slide`. */
  timeWindow(size: Duration, slide?: Duration): WindowedStream<T, K, TimeWindow> {
    return this.window<TimeWindow>(timeWindows(size, slide))
  }

  /** The records of each key in groups of `size`; with `slide`: every `slide` records the last `size`. */
  countWindow(size: number, slide?: number): WindowedStream<T, K, GlobalWindow> {
    return countWindows(this.window<GlobalWindow>(GlobalWindows.create()), size, slide)
  }
}
