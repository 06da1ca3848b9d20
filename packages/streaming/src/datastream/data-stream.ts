import {
  type AsyncFunction,
  type AsyncMapFunction,
  collectOperator,
  type Duration,
  type EdgePartitioner,
  type FilterFunction,
  type FlatMapFunction,
  filterOperator,
  flatMapOperator,
  type GlobalWindow,
  GlobalWindows,
  type KeyedProcessFunction,
  type KeySelector,
  keyedProcessOperator,
  keyedReduceOperator,
  type MapFunction,
  mapOperator,
  type OperatorFactory,
  type OutputTag,
  PrintSink,
  type ProcessFunction,
  processOperator,
  type ReduceFunction,
  type Sink,
  sinkOperator,
  type TimeWindow,
  timestampsAndWatermarksOperator,
  type WatermarkStrategy,
  type Window,
  type WindowAssigner,
} from '@flink-ts/operators'
import type { MapStateDescriptor } from '@flink-ts/state'
import { ForeignStream, InvalidArgument } from '../errors.ts'
import type { StreamNode, Upstream } from '../graph/stream-graph.ts'
import { AllWindowedStream } from './all-windowed-stream.ts'
import {
  type AsyncMapOptions,
  type AsyncOptions,
  asyncMapOperator,
  asyncOperator,
} from './async-data-stream.ts'
import {
  BroadcastConnectedStream,
  BroadcastStream,
  KeyedBroadcastConnectedStream,
} from './broadcast-stream.ts'
import {
  type AddTwoInputOperator,
  ConnectedStreams,
  KeyedConnectedStreams,
  type KeySelectors,
} from './connected-streams.ts'
import { DataStreamSink } from './data-stream-sink.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { IntervalJoin } from './interval-join.ts'
import { requireFunction } from './require-function.ts'
import { countWindows, timeWindows } from './window-shorthands.ts'
import { WindowedStream } from './windowed-stream.ts'

/** What a key may be: compared by value. Anything else is an error, at the latest at the first record. */
export type KeyValue = KeyElement | readonly KeyElement[] | { readonly [field: string]: KeyElement }
type KeyElement = string | number | boolean | bigint | Date

/**
 * A stream of records of type T: a description that takes effect when the environment executes the job. Records are
 * immutable once emitted.
 */
export class DataStream<T> {
  protected readonly builder: GraphBuilder
  protected readonly upstreams: readonly Upstream[]
  /** Carries the type only; never set. */
  declare protected readonly recordType: T

  /** Made by the environment and by other streams. */
  constructor(builder: GraphBuilder, upstreams: readonly Upstream[]) {
    this.builder = builder
    this.upstreams = upstreams
  }

  /** One result for each record. @example words.map(word => ({ word, count: 1 })) */
  map<R>(mapper: MapFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('map', 'map', mapper)
    return this.transform('map', 'Map', mapOperator(mapper))
  }

  /**
   * Any number of results for each record, returned or handed to `out`.
   * @example lines.flatMap(line => line.split(' '))
   * @example lines.flatMap<string>((line, out) => { for (const word of line.split(' ')) out(word) })
   */
  flatMap<R>(flatMapper: FlatMapFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('flatMap', 'flatMap', flatMapper)
    return this.transform('flatMap', 'Flat Map', flatMapOperator(flatMapper))
  }

  /** Only the records for which `filter` is true; a type guard narrows the type. */
  filter<S extends T>(filter: (value: T) => value is S): SingleOutputStreamOperator<S>
  filter(filter: FilterFunction<T>): SingleOutputStreamOperator<T>
  filter(filter: FilterFunction<T>): SingleOutputStreamOperator<T> {
    requireFunction('filter', 'filter', filter)
    return this.transform('filter', 'Filter', filterOperator(filter))
  }

  /** Sees each record with its time, and can emit to side outputs. */
  process<R>(processFunction: ProcessFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'processElement', processFunction, true)
    return this.transform('process', 'Process', processOperator(processFunction))
  }

  /**
   * One result for each record by a promise, many records at a time. Results keep the order of their records unless
   * `ordered` is false; records in flight are part of checkpoints.
   * @example orders.mapAsync(async (order, { signal }) => ({ ...order, customer: await lookUp(order.id, signal) }),
   *   { capacity: 50, timeout: '5 s', retry: AsyncRetryStrategies.fixedDelay(3, '100 ms') })
   */
  mapAsync<R>(
    mapper: AsyncMapFunction<T, R>,
    options: AsyncMapOptions<T, R> = {},
  ): SingleOutputStreamOperator<R> {
    return this.transform('mapAsync', 'Async Map', asyncMapOperator(mapper, options))
  }

  /** Any number of results for each record by a promise or callbacks; see {@link DataStream.mapAsync}. */
  flatMapAsync<R>(
    asyncFunction: AsyncFunction<T, R>,
    options: AsyncOptions<R> = {},
  ): SingleOutputStreamOperator<R> {
    const factory = asyncOperator('flatMapAsync', asyncFunction, options)
    return this.transform('flatMapAsync', 'Async Wait', factory)
  }

  /**
   * Groups by key: all records of one key are processed by the same subtask, in order.
   * @example flights.keyBy(flight => flight.origin)
   */
  keyBy<K extends KeyValue>(keySelector: KeySelector<T, K>): KeyedStream<T, K> {
    requireFunction('keyBy', 'keyBy', keySelector)
    return new KeyedStream<T, K>(this.builder, this.upstreams, keySelector)
  }

  /** This stream and others of the same type as one. */
  union(...others: readonly DataStream<T>[]): DataStream<T> {
    const upstreams = [...this.upstreams]
    for (const other of others) {
      for (const upstream of other.upstreams) {
        if (upstream.node.graph !== this.upstreams[0]?.node.graph) {
          throw ForeignStream({ call: 'union', operator: upstream.node.label })
        }
        upstreams.push(upstream)
      }
    }
    return new DataStream<T>(this.builder, upstreams)
  }

  /**
   * This stream and another, of any type, in one operator.
   * @example words.connect(stopWords).flatMap(new FilterByStopWords())
   */
  connect<O>(other: BroadcastStream<O>): BroadcastConnectedStream<T, O>
  connect<O>(other: DataStream<O>): ConnectedStreams<T, O>
  connect<O>(
    other: DataStream<O> | BroadcastStream<O>,
  ): ConnectedStreams<T, O> | BroadcastConnectedStream<T, O> {
    if (other instanceof BroadcastStream) {
      return new BroadcastConnectedStream<T, O>(this.twoInputs(other.stream), other.descriptors)
    }
    return new ConnectedStreams<T, O>(this.twoInputs(other))
  }

  /** Evenly over all subtasks that follow. */
  rebalance(): DataStream<T> {
    return this.partition({ type: 'rebalance' })
  }

  /** Evenly over a part of the subtasks that follow: fewer connections. */
  rescale(): DataStream<T> {
    return this.partition({ type: 'rescale' })
  }

  /** To a random subtask. */
  shuffle(): DataStream<T> {
    return this.partition({ type: 'shuffle' })
  }

  /** To the subtask with the same index; the parallelism must be the same. */
  forward(): DataStream<T> {
    return this.partition({ type: 'forward' })
  }

  /**
   * To all subtasks. With descriptors, to be connected with another stream that works with the state kept of it.
   * @example events.connect(rules.broadcast(new MapStateDescriptor<string, Rule>('rules'))).process(new ApplyRules())
   */
  broadcast(): DataStream<T>
  broadcast(
    ...descriptors: readonly [MapStateDescriptor<unknown, unknown>, ...MapStateDescriptor<unknown, unknown>[]]
  ): BroadcastStream<T>
  broadcast(
    ...descriptors: readonly MapStateDescriptor<unknown, unknown>[]
  ): DataStream<T> | BroadcastStream<T> {
    const stream = this.partition({ type: 'broadcast' })
    return descriptors.length === 0 ? stream : new BroadcastStream<T>(stream, descriptors)
  }

  /** To the first subtask. */
  global(): DataStream<T> {
    return this.partition({ type: 'global' })
  }

  /**
   * To the subtask that `partitioner` names, from 0 to `subtasks - 1`.
   * @example stream.partitionCustom((key, subtasks) => key % subtasks, value => value.region)
   */
  partitionCustom<K>(
    partitioner: (key: K, subtasks: number) => number,
    keySelector: KeySelector<T, K>,
  ): DataStream<T> {
    requireFunction('partitionCustom', 'partition', partitioner)
    requireFunction('partitionCustom', 'keySelector', keySelector)
    return this.partition({
      type: 'custom',
      partition: (value, subtasks) => partitioner(keySelector(value as T), subtasks),
    })
  }

  /**
   * Groups all records by windows, in one subtask.
   * @example .windowAll(TumblingEventTimeWindows.of('1 min'))
   */
  windowAll<W extends Window>(assigner: WindowAssigner<T, W>): AllWindowedStream<T, W> {
    return new AllWindowedStream(this.windowsOfAll(assigner))
  }

  /** Flink's old name of windows in event time over all records: tumbling, or sliding with `slide`. */
  timeWindowAll(size: Duration, slide?: Duration): AllWindowedStream<T, TimeWindow> {
    return this.windowAll<TimeWindow>(timeWindows(size, slide))
  }

  /** All records in groups of `size`; with `slide`: every `slide` records the last `size`. */
  countWindowAll(size: number, slide?: number): AllWindowedStream<T, GlobalWindow> {
    const windows = this.windowsOfAll<GlobalWindow>(GlobalWindows.create())
    return new AllWindowedStream(countWindows(windows, size, slide))
  }

  /** Event time from here on: replaces timestamps and watermarks of the stream. */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): SingleOutputStreamOperator<T> {
    const factory = timestampsAndWatermarksOperator(strategy)
    return this.transform('assignTimestampsAndWatermarks', 'Timestamps/Watermarks', factory)
  }

  /** Prints each record where the subtask runs. */
  print(identifier?: string): DataStreamSink {
    return this.addSink(
      'print',
      identifier === undefined ? 'Print to Std. Out' : `Print to Std. Out: ${identifier}`,
      new PrintSink<T>(identifier),
    )
  }

  /** Writes the stream to a sink. */
  sinkTo<Committable, WriterState>(sink: Sink<T, Committable, WriterState>): DataStreamSink {
    return this.addSink('sinkTo', `Sink: ${sink.kind}`, sink as Sink<T>)
  }

  /**
   * Executes the job and gives all records of this stream, each exactly once also after failures. They must fit into
   * memory. The order is that of one subtask that receives them all.
   */
  async executeAndCollect(jobName?: string): Promise<T[]> {
    const [first] = this.upstreams
    const name = `collect-${(first?.node.graph.nodes.length ?? 0) + 1}`
    const node = this.builder.addOperator('executeAndCollect', {
      defaultName: 'Collect',
      factory: collectOperator(name),
      inputs: this.upstreams,
      nonParallel: true,
    })
    node.setParallelism(1)
    const result = await this.builder.execute(jobName)
    return (result.accumulators[name] ?? []) as T[]
  }

  protected transform<R>(
    call: string,
    defaultName: string,
    factory: OperatorFactory,
    keySelector?: (value: never) => unknown,
  ): SingleOutputStreamOperator<R> {
    const node = this.builder.addOperator(call, { defaultName, factory, inputs: this.upstreams, keySelector })
    return new SingleOutputStreamOperator<R>(this.builder, node)
  }

  /** Adds operators whose first input is this stream and whose second one is `other`. */
  protected twoInputs<O>(other: DataStream<O>): AddTwoInputOperator {
    return <R>(
      call: string,
      defaultName: string,
      factory: OperatorFactory,
      keySelectors?: KeySelectors,
    ): SingleOutputStreamOperator<R> => {
      const inputs = (upstreams: readonly Upstream[], inputIndex: 0 | 1): Upstream[] => {
        const keySelector = keySelectors?.[inputIndex]
        if (keySelector === undefined) return upstreams.map(upstream => ({ ...upstream, inputIndex }))
        const partitioner: EdgePartitioner = { type: 'hash', keySelector }
        return upstreams.map(upstream => ({ ...upstream, partitioner, inputIndex }))
      }
      const node = this.builder.addOperator(call, {
        defaultName,
        factory,
        inputs: [...inputs(this.upstreams, 0), ...inputs(other.upstreams, 1)],
        keySelector: keySelectors?.[0],
        secondKeySelector: keySelectors?.[1],
      })
      return new SingleOutputStreamOperator<R>(this.builder, node)
    }
  }

  private addSink(call: string, defaultName: string, sink: Sink<T>): DataStreamSink {
    const factory = sinkOperator(sink)
    return new DataStreamSink(
      this.builder.addOperator(call, { defaultName, factory, inputs: this.upstreams }),
    )
  }

  /** Windows over all records: these have one key, in one subtask. */
  private windowsOfAll<W extends Window>(assigner: WindowAssigner<T, W>): WindowedStream<T, number, W> {
    const oneKey = (): number => 0
    const partitioner: EdgePartitioner = { type: 'hash', keySelector: oneKey }
    return new WindowedStream<T, number, W>(
      assigner,
      oneKey,
      <R>(call: string, defaultName: string, factory: OperatorFactory) => {
        const node = this.builder.addOperator(call, {
          defaultName,
          factory,
          inputs: this.upstreams.map(upstream => ({ ...upstream, partitioner })),
          keySelector: oneKey,
          nonParallel: true,
        })
        return new SingleOutputStreamOperator<R>(this.builder, node)
      },
    )
  }

  private partition(partitioner: EdgePartitioner): DataStream<T> {
    return new DataStream<T>(
      this.builder,
      this.upstreams.map(upstream => ({ ...upstream, partitioner })),
    )
  }
}

/** The stream that an operator emits, with the settings of that operator. */
export class SingleOutputStreamOperator<T> extends DataStream<T> {
  readonly #node: StreamNode

  constructor(builder: GraphBuilder, node: StreamNode) {
    super(builder, [{ node, outputTag: undefined, partitioner: undefined }])
    this.#node = node
  }

  /** Name in plans, metrics and logs; the state of the operator is found by it unless it has a uid. */
  name(name: string): this {
    this.#node.setName(name)
    return this
  }

  /** Identity of the operator's state over changes of the program: unique in the job. */
  uid(uid: string): this {
    this.#node.setUid(uid)
    return this
  }

  setParallelism(parallelism: number): this {
    this.#node.setParallelism(parallelism)
    return this
  }

  /** Number of key groups: state cannot be spread further than this, and it cannot be changed later. */
  setMaxParallelism(maxParallelism: number): this {
    this.#node.setMaxParallelism(maxParallelism)
    return this
  }

  /** Operators of different groups do not share slots. What follows is in the same group unless it sets its own. */
  slotSharingGroup(group: string): this {
    this.#node.setSlotSharingGroup(group)
    return this
  }

  /** Begins a new task with this operator. */
  startNewChain(): this {
    this.#node.setChaining('head')
    return this
  }

  /** Makes a task of this operator alone. */
  disableChaining(): this {
    this.#node.setChaining('never')
    return this
  }

  /** What the operator emits to `tag`. */
  getSideOutput<O>(tag: OutputTag<O>): DataStream<O> {
    return new DataStream<O>(this.builder, [{ node: this.#node, outputTag: tag.id, partitioner: undefined }])
  }
}

/** A stream grouped by a key of type K. */
export class KeyedStream<T, K> extends DataStream<T> {
  readonly #keySelector: KeySelector<T, K>

  constructor(builder: GraphBuilder, upstreams: readonly Upstream[], keySelector: KeySelector<T, K>) {
    const partitioner: EdgePartitioner = {
      type: 'hash',
      keySelector: keySelector as (value: never) => unknown,
    }
    super(
      builder,
      upstreams.map(upstream => ({ ...upstream, partitioner })),
    )
    this.#keySelector = keySelector
  }

  /**
   * Combines the records of each key into one; emits the value so far for each record.
   * @example counts.keyBy(c => c.word).reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
   */
  reduce(reducer: ReduceFunction<T>): SingleOutputStreamOperator<T> {
    requireFunction('reduce', 'reduce', reducer)
    const factory = keyedReduceOperator(this.#keySelector, reducer)
    return this.transform('reduce', 'Keyed Reduce', factory, this.#keySelector)
  }

  /** Records with state and timers of their key. */
  override process<R>(processFunction: KeyedProcessFunction<K, T, R>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'processElement', processFunction, true)
    const factory = keyedProcessOperator(this.#keySelector, processFunction)
    return this.transform('process', 'KeyedProcess', factory, this.#keySelector)
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

  /** Flink's old name of windows in event time: tumbling, or sliding with `slide`. */
  timeWindow(size: Duration, slide?: Duration): WindowedStream<T, K, TimeWindow> {
    return this.window<TimeWindow>(timeWindows(size, slide))
  }

  /** The records of each key in groups of `size`; with `slide`: every `slide` records the last `size`. */
  countWindow(size: number, slide?: number): WindowedStream<T, K, GlobalWindow> {
    return countWindows(this.window<GlobalWindow>(GlobalWindows.create()), size, slide)
  }
}
