// Counts generated words without end: a job to measure submission and failover with.
import { DataGeneratorSource, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(
    new DataGeneratorSource({
      generator: i => ({ word: `word ${i % 1000}`, count: 1 }),
      ratePerSecond: 2000,
    }),
    WatermarkStrategy.noWatermarks(),
    'words',
  )
  .keyBy(entry => entry.word)
  .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
  .filter(entry => entry.count < 0)
  .print()
await env.execute('endless')
