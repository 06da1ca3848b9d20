// A long line of shuffles: --shuffles of them, one task for each and parallelism.
import { parseArgs } from 'node:util'
import { DataGeneratorSource, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values } = parseArgs({
  args: [...env.args],
  options: {
    shuffles: { type: 'string', default: '300' },
    rate: { type: 'string', default: '200' },
    records: { type: 'string' },
    interval: { type: 'string' },
  },
})

if (values.interval !== undefined) env.enableCheckpointing(Number(values.interval))
const generator = { generator: (i: number) => ({ id: i, hops: 0 }), ratePerSecond: Number(values.rate) }
const limit = values.records === undefined ? {} : { count: Number(values.records) }
let stream = env
  .fromSource(
    new DataGeneratorSource({ ...generator, ...limit }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .name('numbers')
for (let i = 0; i < Number(values.shuffles); i++) {
  stream = stream
    .keyBy(({ id }) => id + i)
    .map(({ id, hops }) => ({ id, hops: hops + 1 }))
    .name(`hop ${i + 1}`)
}
stream.filter(({ hops }) => hops !== Number(values.shuffles)).print()
await env.execute('many shuffles')
