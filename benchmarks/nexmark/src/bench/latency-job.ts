// Latency of records that go through a keyed count, half of them to the other thread:
// node latency-job.ts <records a second, 0: as many as there can be> <buffer timeout in ms> <seconds>
import {
  type Collector,
  DiscardingSink,
  type KeyedProcessContext,
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
import { LATENCY_MARK, percentile } from './percentile.ts'

interface Stamped {
  readonly key: number
  /** When it was due: what holds up the source counts as well. */
  readonly due: number
  readonly text: string
}

const KEYS = 10_000
const PARALLELISM = 2
const WARM_UP_SHARE = 0.3
/** Records become due once in a tick. */
const TICK_MS = 1
const now = (): number => performance.timeOrigin + performance.now()

/** Records at a steady rate, or as fast as they are taken. */
class PacedSource implements Source<Stamped, number> {
  readonly boundedness = 'bounded'
  readonly kind = 'paced'
  readonly #perSecond: number
  readonly #seconds: number

  constructor(perSecond: number, seconds: number) {
    this.#perSecond = perSecond
    this.#seconds = seconds
  }

  enumerateSplits(parallelism: number): readonly number[] {
    return Array.from({ length: parallelism }, (_, split) => split)
  }

  createReader(context: SourceReaderContext): SourceReader<Stamped, number> {
    const perTick =
      this.#perSecond === 0 ? Infinity : (this.#perSecond / context.parallelism / 1000) * TICK_MS
    const durationMs = this.#seconds * 1000
    let begin: number | undefined
    let sent = 0
    return {
      addSplits: () => undefined,
      snapshot: () => [],
      poll(max: number, output: ReaderOutput<Stamped>) {
        begin ??= now()
        const elapsedMs = now() - begin
        if (elapsedMs >= durationMs) return 'end'
        const due = perTick === Infinity ? sent + max : Math.floor((elapsedMs / TICK_MS) * perTick)
        const end = Math.min(sent + max, due)
        for (; sent < end; sent++) {
          const at = perTick === Infinity ? now() : begin + Math.ceil((sent + 1) / perTick) * TICK_MS
          output.collect({
            key: (Math.imul(sent, 0x9e3779b1) >>> 8) % KEYS,
            due: at,
            text: 'about one hundred bytes of text',
          })
        }
        if (sent < due) return 'more'
        setTimeout(() => context.wake(), TICK_MS)
        return 'wait'
      },
    }
  }
}

/** Counts by key and notes how late each record is. */
class Probe implements KeyedProcessFunction<number, Stamped, number> {
  readonly #warmUpMs: number
  readonly #latenciesMs: number[] = []
  #count!: ValueState<number>
  #records = 0
  #begin: number | undefined

  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs
  }

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor('count', 0))
  }

  processElement({ due }: Stamped, _context: KeyedProcessContext<number>, out: Collector<number>): void {
    const at = now()
    this.#begin ??= at
    this.#records++
    if (at - this.#begin > this.#warmUpMs) this.#latenciesMs.push(at - due)
    const count = (this.#count.value() as number) + 1
    this.#count.update(count)
    out(count)
  }

  close(): void {
    const [p50Ms, p99Ms, p999Ms] = [50, 99, 99.9].map(percent => percentile(this.#latenciesMs, percent))
    const reading = { count: this.#records, p50Ms, p99Ms, p999Ms }
    console.log(LATENCY_MARK + JSON.stringify(reading))
  }
}

const [rate = '0', timeout = '100', seconds = '10'] = process.argv.slice(2)
// As in a cluster: local runs check records, which takes time.
const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'pipeline.check-records': 'false' })
env.setParallelism(PARALLELISM)
env.setBufferTimeout(Number(timeout))
env
  .fromSource(
    new PacedSource(Number(rate), Number(seconds)),
    WatermarkStrategy.noWatermarks<Stamped>(),
    'paced',
  )
  .keyBy(record => record.key)
  .process(new Probe(WARM_UP_SHARE * Number(seconds) * 1000))
  .sinkTo(new DiscardingSink())
await env.execute('latency')
