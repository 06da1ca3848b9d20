// Counts records by key and writes every new count: with exactly-once state and output each count is there once.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  DataGeneratorSource,
  FileSink,
  RestartStrategies,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: {
    output: { type: 'string', default: '' },
    name: { type: 'string', default: 'counts' },
    records: { type: 'string', default: '10000' },
    keys: { type: 'string', default: '50' },
    rate: { type: 'string', default: '10000' },
    // Written when the last record passes the source's task.
    marker: { type: 'string', default: '' },
    // Throws at this record, in each attempt; keeps no checkpoints then.
    'fail-at': { type: 'string', default: '' },
    restarts: { type: 'string' },
    // Holds up its thread for so long at each count, behind a channel, so that records pile up before it.
    'slow-ms': { type: 'string', default: '0' },
    unaligned: { type: 'boolean', default: false },
    // Leaves the counting operator out, so that nobody takes its state.
    'without-counts': { type: 'boolean', default: false },
  },
})
const [records, keys] = [Number(options.records), Number(options.keys)]
const { marker } = options
if (options.restarts !== undefined) {
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
      ratePerSecond: Number(options.rate),
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
const slowMs = Number(options['slow-ms'])
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
