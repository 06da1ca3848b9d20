// A job that runs on with little to do: ten records a second.
import { DataGeneratorSource, DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(
    new DataGeneratorSource({ generator: index => ({ key: index % 3, count: 1 }), ratePerSecond: 10 }),
    WatermarkStrategy.noWatermarks(),
    'ten a second',
  )
  .keyBy(record => record.key)
  .reduce((a, b) => ({ key: a.key, count: a.count + b.count }))
  .sinkTo(new DiscardingSink())
await env.execute('idle')
