// Updates a million keys without end: keys in order at full speed, then at random at a rate. Measures its thread.
// node benchmarks/bench/checkpoint-job.ts --report <file> [--keys 1000000] [--rate 50000] [--seconds 20]
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  DataGeneratorSource,
  DiscardingSink,
  type KeyedProcessFunction,
  type ReaderOutput,
  type RuntimeContext,
  type Source,
  type SourceReader,
  type SourceReaderContext,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'
import { beginStretch } from '../smoke/stretch.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: {
    report: { type: 'string', default: '' },
    keys: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '20' },
  },
})
const [keys, rate, seconds] = [Number(options.keys), Number(options.rate), Number(options.seconds)]
const PAUSE_MS = 5

interface Update {
  readonly key: number
  readonly value: number
}
type Split = ReturnType<DataGeneratorSource<Update>['enumerateSplits']>[number]

/** Its subtasks share keys and rate. The report is written by the one that ran for so many seconds at the rate. */
class UpdateSource implements Source<Update, Split> {
  readonly boundedness = 'bounded'
  readonly kind = 'datagen'
  readonly #generator = new DataGeneratorSource<Update>({
    // All keys once, then at random.
    generator: i => ({ key: i < keys ? i : (Math.imul(i, 2654435761) >>> 0) % keys, value: i }),
    count: Number.MAX_SAFE_INTEGER,
  })

  enumerateSplits(): readonly Split[] {
    return this.#generator.enumerateSplits(1)
  }

  createReader(context: SourceReaderContext): SourceReader<Update, Split> {
    const reader = this.#generator.createReader(context)
    let begun:
      | { readonly at: number; readonly from: number; readonly end: ReturnType<typeof beginStretch> }
      | undefined
    let reported = false
    const poll = (max: number, output: ReaderOutput<Update>): 'more' | 'wait' | 'end' => {
      const position = reader.snapshot()[0]?.next ?? 0
      if (position < keys) return reader.poll(Math.min(max, keys - position), output)
      begun ??= { at: performance.now(), from: position, end: beginStretch() }
      const elapsedMs = performance.now() - begun.at
      const records = position - begun.from
      if (!reported && elapsedMs >= seconds * 1000) {
        reported = true
        writeFileSync(options.report, JSON.stringify(begun.end(records)))
      }
      const due = Math.floor((elapsedMs * rate) / 1000) - records
      if (due > 0) return reader.poll(Math.min(max, due), output)
      setTimeout(() => context.wake(), PAUSE_MS)
      return 'wait'
    }
    return {
      open: () => reader.open?.(),
      addSplits: splits => reader.addSplits(splits),
      poll,
      snapshot: () => reader.snapshot(),
      close: () => reader.close?.(),
    }
  }
}

interface Sum {
  count: number
  total: number
}

class Sums implements KeyedProcessFunction<number, Update, Sum> {
  #sum!: ValueState<Sum>

  open(context: RuntimeContext): void {
    this.#sum = context.getState(new ValueStateDescriptor<Sum>('sum'))
  }

  processElement({ value }: Update): void {
    const sum = this.#sum.value() ?? { count: 0, total: 0 }
    sum.count++
    sum.total += value
    this.#sum.update(sum)
  }
}

env
  .fromSource(new UpdateSource(), WatermarkStrategy.noWatermarks(), 'updates')
  .setParallelism(1)
  .uid('updates')
  .keyBy(update => update.key)
  .process(new Sums())
  .uid('sums')
  .sinkTo(new DiscardingSink())
  .uid('nothing')
await env.execute('checkpoints')
