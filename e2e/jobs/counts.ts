// Counts records by key and writes every new count: with exactly-once state and output each count is there once.
import { writeFileSync } from 'node:fs'
import {
  DataGeneratorSource,
  FileSink,
  RestartStrategies,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'
import { jobOptions } from './job-options.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  output: '',
  name: 'counts',
  records: 10000,
  keys: 50,
  rate: 10000,
  // Written when the last record passes the source's task.
  marker: '',
  // Throws at this record, in each attempt; keeps no checkpoints then.
  'fail-at': '',
  restarts: '',
  // Holds up its thread for so long at each count, behind a channel, so that records pile up before it.
  'slow-ms': 0,
  unaligned: false,
  // Leaves the counting operator out, so that nobody takes its state.
  'without-counts': false,
})
const [records, keys] = [options.records, options.keys]
const { marker } = options
if (options.restarts !== '') {
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(Number(options.restarts), 50))
}
env.enableCheckpointing('100 ms')
if (options.unaligned) env.getCheckpointConfig().enableUnalignedCheckpoints()
const failAt = options['fail-at'] === '' ? undefined : Number(options['fail-at'])
env
  .getCheckpointConfig()
  .setExternalizedCheckpointRetention(
    failAt === undefined ? 'retain-on-cancellation' : 'no-externalized-checkpoints',
  )

const numbers = env
  .fromSource(
    new DataGeneratorSource({
      generator: i => ({ key: `key-${i % keys}`, count: 1, fails: i === failAt, last: i === records - 1 }),
      count: records,
      ratePerSecond: options.rate,
    }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .uid('numbers')
  .map(record => {
    if (record.fails) throw new RangeError('this record is not welcome')
    if (record.last && marker !== '') writeFileSync(marker, '')
    return { key: record.key, count: record.count }
  })
  .uid('mark')
const counts = options['without-counts']
  ? numbers
  : numbers
      .keyBy(record => record.key)
      .reduce((a, b) => ({ key: a.key, count: a.count + b.count }))
      .uid('counts')
const slowMs = options['slow-ms']
const asleep = new Int32Array(new SharedArrayBuffer(4))
const results =
  slowMs === 0
    ? counts
    : counts
        .rebalance()
        .map(count => {
          Atomics.wait(asleep, 0, 0, slowMs)
          return count
        })
        .uid('slow')
results
  .sinkTo(FileSink.forRow<{ key: string; count: number }>(options.output, c => `${c.key} ${c.count}`).build())
  .uid('rows')
await env.execute(options.name)
