// Shows itself on a web page of its own until it is cancelled there.
import { DataGeneratorSource, DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

const env = StreamExecutionEnvironment.createLocalEnvironmentWithWebUI({ 'rest.port': '0' }).setParallelism(1)
env
  .fromSource(
    new DataGeneratorSource({ generator: i => i, ratePerSecond: 100 }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .sinkTo(new DiscardingSink())
await env.execute('seen at home')
