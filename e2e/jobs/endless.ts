// Runs until it is cancelled, or does at one record what `--at` says.
import { parseArgs } from 'node:util'
import {
  DataGeneratorSource,
  DiscardingSink,
  RestartStrategies,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: {
    name: { type: 'string', default: 'endless' },
    do: { type: 'string', default: 'nothing' },
    at: { type: 'string', default: '500' },
    attempts: { type: 'string' },
  },
})
const at = Number(options.at)
const deed = options.do
if (options.attempts !== undefined) {
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(Number(options.attempts), 50))
}

const kept: object[][] = []
const deeds: Record<string, () => void> = {
  nothing() {},
  throw() {
    throw new RangeError(`record ${at} is not welcome`)
  },
  spin() {
    for (;;);
  },
  exit() {
    process.exit(1)
  },
  // About 70 KB of small objects with each record from `--at` on.
  grow() {
    kept.push(Array.from({ length: 2000 }, (_, k) => ({ k })))
  },
  reject() {
    void Promise.reject(new Error('nobody handles this'))
  },
  timeout() {
    setTimeout(() => {
      throw new RangeError('nobody catches this')
    }, 1)
  },
}

env
  .fromSource(
    new DataGeneratorSource({ generator: i => i, ratePerSecond: 1000 }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .map(i => {
    if (i === at || (i > at && deed === 'grow')) deeds[deed]?.()
    return i
  })
  .startNewChain()
  .sinkTo(new DiscardingSink())
await env.execute(options.name)
