// generator -> filter -> map -> keyBy -> reduce or process -> nothing, in one slot, measured from inside:
// node benchmarks/smoke/chain-job.ts <records> <reduce | process> [--polluted | --same-class]
// Polluted: six other pipelines of the same operators, with functions of their own, run to their end in the same thread
// before. Same class: so do they, and all seven count by instances of one class of the user's.
import {
  type DataStream,
  DiscardingSink,
  type KeyedProcessFunction,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'
import { bids, others, type Pipeline } from '../pipelines.ts'
import { CountBids, type Counted, otherCounts } from './count-functions.ts'
import { Gate, measuredSource, WatchedSource } from './measured-source.ts'
import { STRETCH_MARK } from './stretch.ts'

const OTHERS_RECORDS = 300_000

const records = Number(process.argv[2])
const keyed = process.argv[3]
const sameClass = process.argv.includes('--same-class')
const polluted = sameClass || process.argv.includes('--polluted')
// As in a cluster: local runs check records, which takes time.
const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'pipeline.check-records': 'false' })
env.setParallelism(1)

function finish<A, B>(stream: DataStream<A>, shape: Pipeline<A, B>): void {
  const byKey = stream.filter(shape.filter).map(shape.map).keyBy(shape.key)
  const Count = (sameClass ? undefined : otherCounts[shape.name]) ?? CountBids
  const count = new Count() as KeyedProcessFunction<unknown, B, Counted<B>>
  if (keyed === 'process') byKey.process(count).sinkTo(new DiscardingSink())
  else byKey.reduce(shape.reduce).sinkTo(new DiscardingSink())
}

const gate = new Gate()
if (polluted) {
  for (const shape of others) {
    gate.begin()
    const source = new WatchedSource(shape.generator, { count: OTHERS_RECORDS, ended: () => gate.end() })
    finish(env.fromSource(source, WatermarkStrategy.noWatermarks(), shape.name), shape)
  }
}
const source = measuredSource(bids.generator, {
  count: records,
  waitFor: gate,
  report: stretch => console.log(STRETCH_MARK + JSON.stringify(stretch)),
})
finish(env.fromSource(source, WatermarkStrategy.noWatermarks(), bids.name), bids)
await env.execute('chain')
