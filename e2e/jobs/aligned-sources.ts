// A fast and a slow source kept together in event time, or not (argument `free`). Prints how far the fast one was ahead,
// at most, in the second half.
import { DataGeneratorSource, type DataStream, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

interface Tick {
  readonly source: string
  readonly time: number
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(1)
env.getConfig().setAutoWatermarkInterval(10)
const free = WatermarkStrategy.forMonotonousTimestamps<Tick>().withTimestampAssigner(tick => tick.time)
const strategy = env.args.includes('free') ? free : free.withWatermarkAlignment('all', 1000, 20)
const ticks = (source: string, records: number, stepMs: number, perSecond: number): DataStream<Tick> =>
  env.fromSource(
    new DataGeneratorSource<Tick>({
      generator: index => ({ source, time: index * stepMs }),
      count: records,
      ratePerSecond: perSecond,
    }),
    strategy,
    source,
  )
const ahead = await ticks('fast', 40_000, 1, 20_000)
  .union(ticks('slow', 400, 100, 100))
  .process<number>({
    processElement: (tick, context, out) => {
      // Event time is that of the slower one.
      if (tick.source === 'fast' && tick.time > 20_000)
        out(tick.time - Math.max(0, context.timerService.currentWatermark()))
    },
  })
  .executeAndCollect()
console.log(
  JSON.stringify({ records: ahead.length, ahead: ahead.reduce((most, one) => Math.max(most, one), 0) }),
)
