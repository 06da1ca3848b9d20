// A job with something to see in each part of the web page: several vertices, event time, a slow step that holds back
// what is before it, accumulators, parameters, checkpoints. Runs for ever, to an end, or into a failure.
import { parseArgs } from 'node:util'
import {
  type Collector,
  type Counter,
  DataGeneratorSource,
  DiscardingSink,
  ParameterTool,
  RestartStrategies,
  type RuntimeContext,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: {
    name: { type: 'string', default: 'observed' },
    records: { type: 'string', default: '1000000000' },
    rate: { type: 'string', default: '5000' },
    'slow-ms': { type: 'string', default: '0' },
    'fail-at': { type: 'string', default: '-1' },
  },
})
const slowMs = Number(options['slow-ms'])
const failAt = Number(options['fail-at'])
env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 50))
env.enableCheckpointing('1 s')
env.getConfig().setGlobalJobParameters(ParameterTool.fromMap({ rate: options.rate, region: 'north' }))

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly degrees: number
}

class Checked {
  #checked!: Counter

  open(context: RuntimeContext) {
    this.#checked = context.getIntCounter('checked')
  }

  processElement(reading: Reading, _context: unknown, out: Collector<Reading>) {
    this.#checked.add()
    if (reading.degrees === failAt) throw new RangeError(`no sensor measures ${failAt} degrees`)
    for (const end = performance.now() + slowMs; performance.now() < end; );
    out(reading)
  }
}

env
  .fromSource(
    new DataGeneratorSource({
      generator: (i): Reading => ({ sensor: `s${i % 20}`, at: 1_700_000_000_000 + i, degrees: i }),
      count: Number(options.records),
      ratePerSecond: Number(options.rate),
    }),
    WatermarkStrategy.forMonotonousTimestamps<Reading>().withTimestampAssigner(reading => reading.at),
    'sensors',
  )
  .rebalance()
  .process(new Checked())
  .name('check')
  .keyBy(reading => reading.sensor)
  .window(TumblingEventTimeWindows.of('1 s'))
  .reduce((a, b) => (a.degrees > b.degrees ? a : b))
  .name('hottest of a second')
  .rebalance()
  .sinkTo(new DiscardingSink<Reading>())
  .name('discard')
await env.execute(options.name)
