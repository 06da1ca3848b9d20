// The two items that sold best in each hour: counted by item and window, then ranked by a timer when a window is over.
import {
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type MapState,
  MapStateDescriptor,
  type OnTimerContext,
  ParameterTool,
  type RuntimeContext,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'

interface Sale {
  readonly item: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

interface HourlyCount {
  readonly item: string
  readonly hour: number
  readonly count: number
}

/** Ranks the counts of one hour as soon as event time is past its end: all of them are there then. */
class TopItems implements KeyedProcessFunction<number, HourlyCount, string> {
  readonly #n: number
  #counts!: MapState<string, number>

  constructor(n: number) {
    this.#n = n
  }

  open(context: RuntimeContext): void {
    this.#counts = context.getMapState(new MapStateDescriptor<string, number>('counts'))
  }

  processElement({ item, hour, count }: HourlyCount, context: KeyedProcessContext<number>): void {
    this.#counts.put(item, count)
    context.timerService.registerEventTimeTimer(hour + HOUR_MS)
  }

  onTimer(_timestamp: number, context: OnTimerContext<number>, out: Collector<string>): void {
    const ranked = [...this.#counts.entries()].sort(([a, n], [b, m]) => m - n || a.localeCompare(b))
    const best = ranked.slice(0, this.#n).map(([item, count]) => `${item} ${count}`)
    out(`${new Date(context.currentKey).toISOString().slice(11, 16)} ${best.join(', ')}`)
    this.#counts.clear()
  }
}

const HOUR_MS = 3_600_000
const START = Date.parse('2026-03-01T10:00:00Z')
const ITEMS = ['shoes', 'hat', 'coat', 'scarf', 'hat']

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

env
  .fromSequence(0, 299)
  .map((n): Sale => ({ item: ITEMS[(n * n) % 5] as string, time: START + n * 30_000 }))
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forMonotonousTimestamps<Sale>().withTimestampAssigner(sale => sale.time),
  )
  .keyBy(sale => sale.item)
  .window(TumblingEventTimeWindows.of('1 h'))
  .aggregate(
    { createAccumulator: () => 0, add: (_sale, count) => count + 1, getResult: count => count },
    (item, window, count): HourlyCount => ({ item, hour: window.start, count }),
  )
  .keyBy(count => count.hour)
  .process(new TopItems(parameters.getInt('n', 2)))
  .print()

await env.execute('top n')
