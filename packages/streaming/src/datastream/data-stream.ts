import {
  type AsyncFunction,
  type AsyncMapFunction,
  type Duration,
  type EdgePartitioner,
  type FilterFunction,
  type FlatMapFunction,
  filterOperator,
  flatMapOperator,
  type GlobalWindow,
  GlobalWindows,
  type KeySelector,
  type MapFunction,
  mapOperator,
  type OldTimestampAssigner,
  type OperatorFactory,
  PrintSink,
  type ProcessFunction,
  processOperator,
  type Sink,
  type StandardSchema,
  schemaOperator,
  type TimeWindow,
  timestampsAndWatermarksOperator,
  type WatermarkStrategy,
  type Window,
  type WindowAssigner,
  watermarkStrategyOf,
} from '@flink-ts/operators'
import type { MapStateDescriptor } from '@flink-ts/state'
import { ForeignStream, InvalidArgument, RemovedCall } from '../errors.ts'
import type { StreamNode, Upstream } from '../graph/stream-graph.ts'
import { addSink } from './add-sink.ts'
import { AllWindowedStream } from './all-windowed-stream.ts'
import {
  type AsyncMapOptions,
  type AsyncOptions,
  asyncMapOperator,
  asyncOperator,
} from './async-data-stream.ts'
import { BroadcastConnectedStream, BroadcastStream } from './broadcast-stream.ts'
import { addCollector } from './collected-records.ts'
import { type AddTwoInputOperator, ConnectedStreams, type KeySelectors } from './connected-streams.ts'
import type { DataStreamSink } from './data-stream-sink.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { addIterationHead, type IterateOptions } from './iteration-head.ts'
import type { IterativeStream } from './iterative-stream.ts'
import type { KeyValue } from './key-value.ts'
import type { KeyedStream } from './keyed-stream.ts'
import { projection } from './projection.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import { userPlace } from './user-place.ts'
import { CoGroupedStreams, JoinedStreams } from './window-join.ts'
import { countWindows, timeWindows } from './window-shorthands.ts'
import { WindowedStream } from './windowed-stream.ts'

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
    const key = this.stateKeyFor(mapper)
    return this.transform('map', 'Map', mapOperator(mapper, key), key)
  }

  /**
   * Any number of results for each record, returned or handed to `out`.
   * @example lines.flatMap(line => line.split(' '))
   * @example lines.flatMap<string>((line, out) => { for (const word of line.split(' ')) out(word) })
   */
  flatMap<R>(flatMapper: FlatMapFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('flatMap', 'flatMap', flatMapper)
    const key = this.stateKeyFor(flatMapper)
    return this.transform('flatMap', 'Flat Map', flatMapOperator(flatMapper, key), key)
  }

  /** Only the records for which `filter` is true; a type guard narrows the type. */
  filter<S extends T>(filter: (value: T) => value is S): SingleOutputStreamOperator<S>
  filter(filter: FilterFunction<T>): SingleOutputStreamOperator<T>
  filter(filter: FilterFunction<T>): SingleOutputStreamOperator<T> {
    requireFunction('filter', 'filter', filter)
    const key = this.stateKeyFor(filter)
    return this.transform('filter', 'Filter', filterOperator(filter, key), key)
  }

  /**
   * Only some fields of each record.
   * @example flights.project('origin', 'delay')
   */
  project<F extends keyof T>(...fields: readonly [F, ...F[]]): SingleOutputStreamOperator<Pick<T, F>> {
    return this.transform('project', 'Projection', mapOperator(projection<T, F>(fields)))
  }

  /** Flink has no `split` and `select` any more, and neither is there one here: a clear pointer to side outputs. */
  split(): never {
    throw RemovedCall({
      call: 'split(...).select(...)',
      instead:
        'side outputs: process((value, context) => context.output(tag, value)) and getSideOutput(tag), or several filters',
    })
  }

  /** Sees each record with its time, and can emit to side outputs. */
  process<R>(processFunction: ProcessFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('process', 'processElement', processFunction, true)
    return this.transform('process', 'Process', processOperator(processFunction))
  }

  /**
   * Declares what the records are: by {@link Types}, or a schema of zod, valibot, arktype or any other library with Standard
   * Schema. Every record is looked at; what the schema makes of it goes on (its defaults, for instance), and the first one
   * that it refuses fails the job with operator, field and value.
   * @example
   * const sales = lines.map(line => JSON.parse(line)).returns(Types.OBJECT({ shop: Types.STRING, cents: Types.LONG }))
   */
  returns<R>(schema: StandardSchema<never, R> | StandardSchema<unknown, R>): SingleOutputStreamOperator<R> {
    if (typeof schema?.['~standard']?.validate !== 'function') {
      const expected = 'a type such as Types.STRING, or a schema with Standard Schema'
      throw InvalidArgument({ call: 'returns', value: String(schema), expected })
    }
    const { node } = this.upstreams[0] as Upstream
    const from = { operator: () => node.name, place: userPlace() }
    return this.transform('returns', 'Schema', schemaOperator(schema as StandardSchema, from))
  }

  /**
   * One result for each record by a promise, many records at a time. Results keep the order of their records unless
   * `ordered` is false; records in flight are part of checkpoints.
   * @example orders.mapAsync(async (order, { signal }) => ({ ...order, customer: await lookUp(order.id, signal) }),
   *   { capacity: 50, timeout: '5 s', retry: AsyncRetryStrategies.fixedDelay(3, '100 ms') })
   */
  mapAsync<R>(
    mapper: AsyncMapFunction<T, R>,
    options: AsyncMapOptions<T, NoInfer<R>> = {},
  ): SingleOutputStreamOperator<R> {
    return this.transform('mapAsync', 'Async Map', asyncMapOperator(mapper, options))
  }

  /** Any number of results for each record by a promise or callbacks; see {@link DataStream.mapAsync}. */
  flatMapAsync<R>(
    asyncFunction: AsyncFunction<T, R>,
    options: AsyncOptions<NoInfer<R>> = {},
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
    return this.builder.keyed<T, K>(this.upstreams, keySelector)
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

  /**
   * Pairs of records of this stream and another that have the same key in the same window.
   * @example orders.join(payments).where(o => o.id).equalTo(p => p.orderId).window(TumblingEventTimeWindows.of('1 h'))
   *   .apply((order, payment) => ({ ...order, paid: payment.amount }))
   */
  join<O>(other: DataStream<O>): JoinedStreams<T, O> {
    return new JoinedStreams<T, O>(this, other)
  }

  /** Records of this stream and another by key and window, those without a partner included. */
  coGroup<O>(other: DataStream<O>): CoGroupedStreams<T, O> {
    return new CoGroupedStreams<T, O>(this, other)
  }

  /**
   * The beginning of a loop: what {@link IterativeStream.closeWith} names comes back here. Records that are under way in
   * the loop are part of checkpoints.
   */
  iterate(options: IterateOptions = {}): IterativeStream<T> {
    const { head, loop } = addIterationHead(this.builder, this.upstreams, options)
    return this.builder.iterative<T>(head, loop)
  }

  /** Of the operator that emits this stream; of several streams as one, that of the first. */
  getParallelism(): number {
    return (this.upstreams[0] as Upstream).node.parallelism
  }

  /** Adds an operator that emits nothing. For streams of this package. @internal */
  addEnd(call: string, defaultName: string, factory: OperatorFactory): StreamNode {
    return this.builder.addOperator(call, { defaultName, factory, inputs: this.upstreams })
  }

  /** Evenly over all subtasks that follow. */
  rebalance(): DataStream<T> {
    return this.partition('rebalance', { type: 'rebalance' })
  }

  /** Evenly over a part of the subtasks that follow: fewer connections. */
  rescale(): DataStream<T> {
    return this.partition('rescale', { type: 'rescale' })
  }

  /** To a random subtask. */
  shuffle(): DataStream<T> {
    return this.partition('shuffle', { type: 'shuffle' })
  }

  /** To the subtask with the same index; the parallelism must be the same. */
  forward(): DataStream<T> {
    return this.partition('forward', { type: 'forward' })
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
    const stream = this.partition('broadcast', { type: 'broadcast' })
    return descriptors.length === 0 ? stream : new BroadcastStream<T>(stream, descriptors)
  }

  /** To the first subtask. */
  global(): DataStream<T> {
    return this.partition('global', { type: 'global' })
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
    return this.partition('partitionCustom', {
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

  /**
   * Event time from here on: replaces timestamps and watermarks of the stream. Takes Flink's old assigners too.
   * @example .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps<Click>().withTimestampAssigner(c => c.at))
   */
  assignTimestampsAndWatermarks(
    strategy: WatermarkStrategy<T> | OldTimestampAssigner<T>,
  ): SingleOutputStreamOperator<T> {
    const known = watermarkStrategyOf(strategy)
    if (known === undefined) {
      throw InvalidArgument({
        call: 'assignTimestampsAndWatermarks',
        value: String(strategy),
        expected: 'a WatermarkStrategy, or an assigner with extractTimestamp and getCurrentWatermark',
      })
    }
    const factory = timestampsAndWatermarksOperator(known)
    const inBatch = () => timestampsAndWatermarksOperator(known.withoutWatermarks())
    const name = 'Timestamps/Watermarks'
    return this.transform('assignTimestampsAndWatermarks', name, factory, undefined, inBatch)
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
   * memory; they travel through the blob store of the JobManager, in parts. With a later `execute` of the same program
   * they travel as messages do, which ends at `pekko.framesize` (32 MB). The order is that of one subtask that receives
   * them all.
   */
  async executeAndCollect(jobName?: string): Promise<T[]> {
    const collected = addCollector<T>('executeAndCollect', this.builder, this.upstreams)
    return collected(await this.builder.execute(jobName))
  }

  /**
   * All records of this stream, from the job that is executed next: `execute` or `executeAsync` follows. They are there
   * when the job is over.
   * @example const counted = counts.collectAsync()
   * await env.execute()
   * for await (const count of counted) console.log(count)
   */
  collectAsync(): AsyncIterable<T> {
    const collected = addCollector<T>('collectAsync', this.builder, this.upstreams)
    const { promise, resolve } = Promise.withResolvers<Promise<T[]>>()
    this.builder.onExecuted(job => {
      const records = job.then(client => client.result()).then(collected)
      // Whoever iterates gets the failure; nobody may.
      records.catch(() => undefined)
      resolve(records)
    })
    return {
      async *[Symbol.asyncIterator]() {
        yield* await promise
      },
    }
  }

  /** Gives the key of a record to which the state of `userFunction` is bound; undefined: it has no keyed state. */
  protected stateKeyFor(_userFunction: unknown): KeySelector<T, unknown> | undefined {
    return undefined
  }

  protected transform<R>(
    call: string,
    defaultName: string,
    factory: OperatorFactory,
    keySelector?: (value: never) => unknown,
    inBatch?: () => OperatorFactory,
  ): SingleOutputStreamOperator<R> {
    const batch = inBatch === undefined ? undefined : { factory: inBatch }
    const options = { defaultName, factory, inputs: this.upstreams, keySelector }
    const node = this.builder.addOperator(call, batch === undefined ? options : { ...options, batch })
    return this.builder.single<R>(node)
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
        return upstreams.map(upstream => {
          const before = upstream.partitioner
          const place = before?.type === 'hash' ? before.place : userPlace()
          return { ...upstream, partitioner: { type: 'hash', keySelector, place }, inputIndex }
        })
      }
      const node = this.builder.addOperator(call, {
        defaultName,
        factory,
        inputs: [...inputs(this.upstreams, 0), ...inputs(other.upstreams, 1)],
        keySelector: keySelectors?.[0],
        secondKeySelector: keySelectors?.[1],
      })
      return this.builder.single<R>(node)
    }
  }

  private addSink(call: string, defaultName: string, sink: Sink<T>): DataStreamSink {
    return addSink(
      this.builder,
      { call, defaultName, sink },
      {
        input: this,
        streamOf: node => this.builder.single(node),
        upstreamsOf: stream => (stream instanceof DataStream ? stream.upstreams : undefined),
      },
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
        return this.builder.single<R>(node)
      },
    )
  }

  /** This stream with another way to the subtasks that follow. */
  protected partition(_call: string, partitioner: EdgePartitioner): DataStream<T> {
    return new DataStream<T>(
      this.builder,
      this.upstreams.map(upstream => ({ ...upstream, partitioner })),
    )
  }
}
