// An event-time timer for each record: node benchmarks/bench/timer-job.ts <records>
import {
  DiscardingSink,
  type KeyedProcessFunction,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'
import { Gate, measuredSource } from '../smoke/measured-source.ts'
import { STRETCH_MARK } from '../smoke/stretch.ts'
import { DELAY_MS, type Measurement, measurements } from './sums.ts'

type Out = { readonly key: number; readonly time: number }

const alarms: KeyedProcessFunction<number, Measurement, Out> = {
  processElement(measurement, context) {
    context.timerService.registerEventTimeTimer(measurement.time + DELAY_MS)
  },
  onTimer(time, context, out) {
    out({ key: context.currentKey, time })
  },
}

// As in a cluster: local runs check records, which takes time.
const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'pipeline.check-records': 'false' })
env.setParallelism(1)
const source = measuredSource(measurements('number'), {
  count: Number(process.argv[2]),
  waitFor: new Gate(),
  report: stretch => console.log(STRETCH_MARK + JSON.stringify(stretch)),
})
env
  .fromSource(
    source,
    WatermarkStrategy.forMonotonousTimestamps<Measurement>().withTimestampAssigner(({ time }) => time),
    'measurements',
  )
  .keyBy(({ key }) => key as number)
  .process(alarms)
  .sinkTo(new DiscardingSink())
await env.execute('timers')
