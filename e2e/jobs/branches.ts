// Streams that part and meet again, in front of a step that sleeps while a file exists. Prints how many records came.
import { existsSync } from 'node:fs'
import {
  DataGeneratorSource,
  type DataStream,
  DiscardingSink,
  type IntCounter,
  type RuntimeContext,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'
import { jobOptions } from './job-options.ts'

interface Item {
  readonly id: number
  readonly text: string
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  shape: 'line',
  records: 200000,
  'sleep-while': '',
})
const asleep = options['sleep-while']
const clock = new Int32Array(new SharedArrayBuffer(4))

/** Takes 5 ms for a record while the file exists. */
class Sleepy {
  #count: IntCounter | undefined

  open(context: RuntimeContext): void {
    this.#count = context.getIntCounter('records')
  }

  map(item: Item): Item {
    if (asleep !== '' && existsSync(asleep)) Atomics.wait(clock, 0, 0, 5)
    this.#count?.add(1)
    return item
  }
}

const source = env.fromSource(
  new DataGeneratorSource<Item>({
    generator: id => ({ id, text: `record number ${id} with a text of some length, as real ones have` }),
    count: options.records,
  }),
  WatermarkStrategy.noWatermarks(),
  'items',
)

const shapes: Readonly<Record<string, () => DataStream<Item>>> = {
  line: () => source.rebalance(),
  diamond: () => {
    const left = source.keyBy(item => item.id % 100).map(item => item)
    const right = source.rebalance().map(item => item)
    return left.union(right).keyBy(item => item.id % 7)
  },
  'self-join': () =>
    source
      .rebalance()
      .connect(source.broadcast())
      .map(
        item => item,
        item => item,
      ),
  union: () => source.union(source, source.rebalance()).shuffle(),
}
const shape = shapes[options.shape]
if (shape === undefined) throw new Error(`unknown shape ${options.shape}`)
shape().map(new Sleepy()).name('sleepy').sinkTo(new DiscardingSink())
const result = await env.execute(`branches: ${options.shape}`)
console.log(`records: ${result.accumulators['records']}`)
