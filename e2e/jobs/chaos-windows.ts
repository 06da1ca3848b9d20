// Windows over a generator whose records come out of order: tumbling and sliding ones, each with its count and sum.
import {
  DataGeneratorSource,
  FileSink,
  SlidingEventTimeWindows,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'
import { jobOptions } from './job-options.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  output: '',
  name: 'windows',
  records: 10000,
  keys: 20,
  rate: 1000,
})
const keys = options.keys
env.enableCheckpointing('300 ms')
env.getCheckpointConfig().setExternalizedCheckpointRetention('retain-on-cancellation')

interface Reading {
  readonly key: string
  readonly time: number
  readonly value: number
}
interface Total {
  count: number
  sum: number
}

const totals = {
  createAccumulator: (): Total => ({ count: 0, sum: 0 }),
  add: (reading: Reading, total: Total): Total => {
    total.count++
    total.sum += reading.value
    return total
  },
  getResult: (total: Total): Total => total,
  merge: (a: Total, b: Total): Total => ({ count: a.count + b.count, sum: a.sum + b.sum }),
}
const readings = env
  .fromSource(
    new DataGeneratorSource({
      // Up to 200 ms late.
      generator: (i): Reading => ({
        key: `key-${i % keys}`,
        time: i * 10 + ((i * 7919) % 21) * 10,
        value: i,
      }),
      count: options.records,
      ratePerSecond: options.rate,
    }),
    WatermarkStrategy.forBoundedOutOfOrderness<Reading>('210 ms').withTimestampAssigner(r => r.time),
    'readings',
  )
  .uid('readings')
const tumbling = readings
  .keyBy(reading => reading.key)
  .window(TumblingEventTimeWindows.of('1 s'))
  .aggregate(totals, (key, window, { count, sum }) => `tumbling ${key} ${window.start} ${count} ${sum}`)
  .uid('tumbling')
const sliding = readings
  .keyBy(reading => reading.key)
  .window(SlidingEventTimeWindows.of('3 s', '1 s'))
  .aggregate(totals, (key, window, { count, sum }) => `sliding ${key} ${window.start} ${count} ${sum}`)
  .uid('sliding')
tumbling
  .union(sliding)
  .sinkTo(FileSink.forRow<string>(options.output, row => row).build())
  .uid('rows')
await env.execute(options.name)
