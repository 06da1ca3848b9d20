// Uses state of each kind and writes what it holds at each record: with exactly-once state each row is there once.
import { existsSync } from 'node:fs'
import {
  type AggregatingState,
  AggregatingStateDescriptor,
  type Collector,
  DataGeneratorSource,
  FileSink,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type ListState,
  ListStateDescriptor,
  type MapState,
  MapStateDescriptor,
  type ReducingState,
  ReducingStateDescriptor,
  type RuntimeContext,
  StateTtlConfig,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'
import { jobOptions } from './job-options.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  output: '',
  records: 10000,
  keys: 50,
  // Each key comes once, then only so many of them, in turn: most of the state does not change any more.
  hot: 50,
  rate: 10000,
  interval: '100 ms',
  // While this file exists, the last quarter of the records takes so long that the job does not end.
  'hold-while': '',
})
const [records, keys, hot] = [options.records, options.keys, options.hot]
const hold = options['hold-while']
const asleep = new Int32Array(new SharedArrayBuffer(4))
env.enableCheckpointing(options.interval)
env.getCheckpointConfig().setExternalizedCheckpointRetention('retain-on-cancellation')

interface Item {
  readonly key: string
  readonly n: number
}

class AllStates implements KeyedProcessFunction<string, Item, string> {
  #count!: ValueState<{ n: number }>
  #seen!: ListState<number>
  #byRest!: MapState<number, { count: number }>
  #sum!: ReducingState<number>
  #mean!: AggregatingState<number, number>

  open(context: RuntimeContext): void {
    const ttl = new StateTtlConfig({ ttl: '1 d', updateType: 'on-read-and-write' })
    this.#count = context.getState(new ValueStateDescriptor<{ n: number }>('count', { n: 0 }))
    this.#seen = context.getListState(new ListStateDescriptor<number>('seen'))
    this.#byRest = context.getMapState(new MapStateDescriptor<number, { count: number }>('by rest', { ttl }))
    this.#sum = context.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
    this.#mean = context.getAggregatingState(
      new AggregatingStateDescriptor<number, { sum: number; n: number }, number>('mean', {
        createAccumulator: () => ({ sum: 0, n: 0 }),
        // In place, as is allowed for what is in state.
        add: (value, accumulator) => {
          accumulator.sum += value
          accumulator.n++
          return accumulator
        },
        getResult: ({ sum, n }) => sum / n,
      }),
    )
  }

  processElement(item: Item, context: KeyedProcessContext<string>, out: Collector<string>): void {
    const count = this.#count.value() ?? { n: 0 }
    count.n++
    this.#count.update(count)
    this.#seen.add(item.n)
    if (count.n % 100 === 0) this.#seen.clear()
    const rest = item.n % 7
    const entry = this.#byRest.get(rest) ?? { count: 0 }
    entry.count++
    this.#byRest.put(rest, entry)
    this.#sum.add(item.n)
    this.#mean.add(item.n)
    let entries = 0
    for (const { count: each } of this.#byRest.values()) entries += each
    const seen = [...this.#seen.get()].length
    out.collect(`${context.currentKey} ${count.n} ${seen} ${entries} ${this.#sum.get()} ${this.#mean.get()}`)
  }
}

env
  .fromSource(
    new DataGeneratorSource({
      generator: (i): Item => {
        if (hold !== '' && i > records * 0.75 && existsSync(hold)) Atomics.wait(asleep, 0, 0, 20)
        return i < keys
          ? { key: `key-${i}`, n: 1 }
          : { key: `key-${(i - keys) % hot}`, n: Math.floor((i - keys) / hot) + 2 }
      },
      count: records,
      ratePerSecond: options.rate,
    }),
    WatermarkStrategy.noWatermarks(),
    'items',
  )
  .uid('items')
  // So that the records of a key come in their order.
  .setParallelism(1)
  .keyBy(item => item.key)
  .process(new AllStates())
  .name('all states')
  .uid('states')
  .sinkTo(FileSink.forRow<string>(options.output, row => row).build())
  .uid('rows')
await env.execute('states')
