// The items that sold best in each hour: counted by item and window, then ranked in the same window over all items.
import {
  ParameterTool,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'

interface Sale {
  readonly item: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

const START = Date.parse('2026-03-01T10:00:00Z')
const ITEMS = ['shoes', 'hat', 'coat', 'scarf', 'hat']

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))
const n = parameters.getInt('n', 2)

env
  .fromSequence(0, 299)
  .map((i): Sale => ({ item: ITEMS[(i * i) % 5] as string, time: START + i * 30_000 }))
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forMonotonousTimestamps<Sale>().withTimestampAssigner(sale => sale.time),
  )
  .keyBy(sale => sale.item)
  .window(TumblingEventTimeWindows.of('1 h'))
  .aggregate(
    { createAccumulator: () => 0, add: (_sale, count) => count + 1, getResult: count => count },
    (item, _window, count) => ({ item, count }),
  )
  // The counts have the last time of their window: they are in the same one again.
  .windowAll(TumblingEventTimeWindows.of('1 h'))
  .apply((window, counts, out) => {
    const ranked = counts.toSorted((a, b) => b.count - a.count || a.item.localeCompare(b.item))
    const best = ranked.slice(0, n).map(({ item, count }) => `${item} ${count}`)
    out(`${new Date(window.start).toISOString().slice(11, 16)} ${best.join(', ')}`)
  })
  .print()

await env.execute('top n')
