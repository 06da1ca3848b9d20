// BATCH mode with broadcast sets and cached files, and the same records as a stream. Prints what comes out, as JSON.
// Arguments: parallelism, a folder with factors.json and the folder tools.
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Collector,
  type DataStream,
  EventTimeSessionWindows,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type RuntimeContext,
  SlidingEventTimeWindows,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'

interface Sale {
  readonly item: string
  readonly amount: number
  readonly time: number
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [parallelism = '1', folder = ''] = env.args
env.setParallelism(Number(parallelism))
env.registerCachedFile(join(folder, 'factors.json'), 'factors')
env.registerCachedFile(join(folder, 'tools'), 'tools', true)

/** Multiplies by the factor of the item and drops what is not for sale; says where its cached files are. */
class Rated {
  #factors: Readonly<Record<string, number>> = {}
  #hidden: ReadonlySet<string> = new Set()
  #files: string[] = []

  async open(context: RuntimeContext): Promise<void> {
    const cache = context.getDistributedCache()
    const tools = cache.getFile('tools')
    this.#factors = JSON.parse(readFileSync(cache.getFile('factors'), 'utf8')) as Record<string, number>
    this.#hidden = new Set(context.getBroadcastVariable<string>('hidden'))
    accessSync(join(tools, 'bin/run.sh'), constants.X_OK)
    this.#files = [cache.getFile('factors'), tools, ...readdirSync(join(tools, 'bin'))]
  }

  flatMap({ item, amount, time }: Sale): { sale: Sale; files: readonly string[] }[] {
    if (this.#hidden.has(item)) return []
    return [{ sale: { item, amount: amount * (this.#factors[item] ?? 0), time }, files: this.#files }]
  }
}

/** Tells of each key once, by a timer of the clock. */
class Count implements KeyedProcessFunction<string, Sale, string> {
  readonly #counts = new Map<string, number>()

  processElement({ item }: Sale, { currentKey, timerService }: KeyedProcessContext<string>): void {
    this.#counts.set(currentKey, (this.#counts.get(currentKey) ?? 0) + 1)
    timerService.registerProcessingTimeTimer(timerService.currentProcessingTime() + item.length * 3_600_000)
  }

  onTimer(_time: number, { currentKey }: KeyedProcessContext<string>, out: Collector<string>): void {
    const count = this.#counts.get(currentKey)
    if (this.#counts.delete(currentKey)) out(`timer ${currentKey} ${count}`)
  }
}

const ITEMS = ['hat', 'shoes', 'coat', 'scarf', 'ring']
const MAX_DISORDER_MS = 700
const sale = (n: number): Sale => ({
  item: ITEMS[(n * n * n) % 5] as string,
  amount: (n * 7919) % 100,
  // Out of order, but not by more than the strategy of the stream allows.
  time: n * 40 - ((n * 7) % 15) * 50,
})

const sales = (): DataStream<Sale> =>
  env
    .fromSequence(1, 600)
    .map(sale)
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forBoundedOutOfOrderness<Sale>(MAX_DISORDER_MS).withTimestampAssigner(s => s.time),
    )

/** Results of windows and rolling aggregates as text: with `rolling`, a value of the key after the other. */
function results(): DataStream<string> {
  const keyed = sales().keyBy(({ item }) => item)
  const add = (a: Sale, b: Sale): Sale => ({ ...b, amount: a.amount + b.amount })
  const shown =
    (what: string) => (item: string, window: { start: number; end: number }, all: readonly Sale[]) => [
      `${what} ${item} ${window.start} ${window.end} ${all.reduce((sum, { amount }) => sum + amount, 0)}`,
    ]
  return keyed
    .window(TumblingEventTimeWindows.of('1 s'))
    .apply<string>(shown('tumbling'))
    .union(
      keyed.window(SlidingEventTimeWindows.of('2 s', '500 ms')).apply<string>(shown('sliding')),
      keyed.window(EventTimeSessionWindows.withGap('150 ms')).apply<string>(shown('session')),
      sales()
        .windowAll(TumblingEventTimeWindows.of('3 s'))
        .apply<string>((window, all) => [`all ${window.start} ${all.length}`]),
      keyed.reduce(add).map(({ item, amount }) => `rolling ${item} ${amount}`),
      keyed.maxBy('amount').map(({ item, amount }) => `greatest ${item} ${amount}`),
    )
}

env.setRuntimeMode('BATCH')
const hidden = env.fromElements('ring', 'scarf')
const rated = env.fromSequence(1, 600).map(sale).flatMap(new Rated()).withBroadcastSet(hidden, 'hidden')
const totals = rated
  .keyBy(({ sale }) => sale.item)
  .reduce((a, b) => ({ ...b, sale: { ...b.sale, amount: a.sale.amount + b.sale.amount } }))
  .map(({ sale: { item, amount } }) => `total ${item} ${amount}`)
const places = rated
  .map(({ files }) => `files ${files.join(' ')}`)
  .keyBy(files => files)
  .reduce(files => files)
const timers = sales()
  .keyBy(({ item }) => item)
  .process(new Count())
const batch = await results().union(timers, totals, places).executeAndCollect('batch')

env.setRuntimeMode('STREAMING')
const streaming = await results().executeAndCollect('streaming')
console.log(JSON.stringify({ batch, streaming }))
