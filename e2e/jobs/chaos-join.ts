// An interval join of two generators: orders, and payments from 100 ms before to 200 ms after them.
import {
  DataGeneratorSource,
  type DataStream,
  FileSink,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'
import { jobOptions } from './job-options.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  output: '',
  name: 'join',
  records: 10000,
  keys: 10,
  rate: 1000,
})
const keys = options.keys
env.enableCheckpointing('300 ms')
env.getCheckpointConfig().setExternalizedCheckpointRetention('retain-on-cancellation')

interface Event {
  readonly id: number
  readonly key: number
  readonly time: number
}
const events = (name: string, keyOf: (i: number) => number, laterMs: number): DataStream<Event> =>
  env
    .fromSource(
      new DataGeneratorSource({
        generator: (i): Event => ({ id: i, key: keyOf(i), time: i * 20 + laterMs }),
        count: options.records,
        ratePerSecond: options.rate,
      }),
      WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner(event => event.time),
      name,
    )
    .uid(name)
events('orders', i => i % keys, 0)
  .keyBy(order => order.key)
  .intervalJoin(events('payments', i => (i * 3) % keys, 10).keyBy(payment => payment.key))
  .between('-100 ms', '200 ms')
  .process((order, payment) => `${order.id} ${payment.id}`)
  .uid('pairs')
  .sinkTo(FileSink.forRow<string>(options.output, row => row).build())
  .uid('rows')
await env.execute(options.name)
