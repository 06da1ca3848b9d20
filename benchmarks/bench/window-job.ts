// Windows in the engine: node benchmarks/bench/window-job.ts <number | string> <tumbling | sliding> <records>
import {
  DiscardingSink,
  SlidingEventTimeWindows,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'
import { Gate, measuredSource } from '../smoke/measured-source.ts'
import { STRETCH_MARK } from '../smoke/stretch.ts'
import { type Measurement, measurements, SLIDE_MS, type Sum, WINDOW_MS } from './sums.ts'

const [kind = 'number', assigner = 'tumbling', count = '5000000'] = process.argv.slice(2)
// As in a cluster: local runs check records, which takes time.
const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'pipeline.check-records': 'false' })
env.setParallelism(1)
const source = measuredSource(measurements(kind), {
  count: Number(count),
  waitFor: new Gate(),
  report: stretch => console.log(STRETCH_MARK + JSON.stringify(stretch)),
})
env
  .fromSource(
    source,
    WatermarkStrategy.forMonotonousTimestamps<Measurement>().withTimestampAssigner(({ time }) => time),
    'measurements',
  )
  .keyBy(({ key }) => key)
  .window(
    assigner === 'sliding'
      ? SlidingEventTimeWindows.of(WINDOW_MS, SLIDE_MS)
      : TumblingEventTimeWindows.of(WINDOW_MS),
  )
  .aggregate(
    {
      createAccumulator: (): Sum => ({ count: 0, sum: 0 }),
      add(measurement: Measurement, sum: Sum) {
        sum.count++
        sum.sum += measurement.value
        return sum
      },
      getResult: sum => sum,
      merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
    },
    (key, window, { count: records, sum }) => ({ key, end: window.end, count: records, sum }),
  )
  .sinkTo(new DiscardingSink())
await env.execute('windows')
