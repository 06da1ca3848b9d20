// generator -> filter -> map -> keyBy -> reduce or process -> nothing, in one slot, measured from inside:
// node benchmarks/smoke/chain-job.ts <records> <reduce | process> [--polluted]
// Polluted: six other pipelines of the same operators run to their end in the same thread before.
import {
  type DataStream,
  DiscardingSink,
  type KeyedProcessFunction,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'
import { bids, others, type Pipeline } from '../pipelines.ts'
import { Gate, measuredSource, WatchedSource } from './measured-source.ts'
import { STRETCH_MARK } from './stretch.ts'

const OTHERS_RECORDS = 300_000

class Count<T> implements KeyedProcessFunction<unknown, T, { value: T; count: number }> {
  #count: ValueState<number> | undefined

  open(context: Parameters<NonNullable<KeyedProcessFunction<unknown, T, unknown>['open']>>[0]): void {
    this.#count = context.getState(new ValueStateDescriptor('count', 0))
  }

  processElement(value: T, _context: unknown, out: (result: { value: T; count: number }) => void): void {
    const state = this.#count as ValueState<number>
    const count = (state.value() as number) + 1
    state.update(count)
    out({ value, count })
  }
}

const records = Number(process.argv[2])
const keyed = process.argv[3]
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(1)

function finish<A, B>(stream: DataStream<A>, shape: Pipeline<A, B>): void {
  const byKey = stream.filter(shape.filter).map(shape.map).keyBy(shape.key)
  if (keyed === 'process') byKey.process(new Count<B>()).sinkTo(new DiscardingSink())
  else byKey.reduce(shape.reduce).sinkTo(new DiscardingSink())
}

const gate = new Gate()
if (process.argv.includes('--polluted')) {
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
