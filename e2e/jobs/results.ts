// Many parts of the API in three jobs; prints what they give, for comparison with a plain computation.
import {
  type Collector,
  FileSource,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type OnTimerContext,
  type RuntimeContext,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'

const [text = ''] = StreamExecutionEnvironment.getExecutionEnvironment().args
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(2)

// 1: lines of text, union, rebalance.
const words = await env
  .fromSource(FileSource.forTextLines(text).build(), WatermarkStrategy.noWatermarks(), 'lines')
  .flatMap((line: string) => line.split(' '))
  .union(env.fromElements('one', 'two', 'three'))
  .rebalance()
  .map(word => word.toUpperCase())
  .executeAndCollect('words')

// 2: state and timers: the sum of each key in each second of event time, emitted by its timer.
interface Reading {
  readonly sensor: string
  readonly time: number
  readonly value: number
}
class SumPerSecond implements KeyedProcessFunction<string, Reading, string> {
  #sums!: ValueState<Readonly<Record<string, number>>>
  open(context: RuntimeContext) {
    this.#sums = context.getState(new ValueStateDescriptor<Readonly<Record<string, number>>>('sums', {}))
  }
  processElement(reading: Reading, context: KeyedProcessContext<string>) {
    const end = Math.floor(reading.time / 1000) * 1000 + 999
    const sums = this.#sums.value() ?? {}
    this.#sums.update({ ...sums, [end]: (sums[end] ?? 0) + reading.value })
    context.timerService.registerEventTimeTimer(end)
  }
  onTimer(timestamp: number, context: OnTimerContext<string>, out: Collector<string>) {
    const { [timestamp]: sum, ...later } = this.#sums.value() ?? {}
    out(`${context.currentKey} ${timestamp} ${sum}`)
    this.#sums.update(later)
  }
}
const readings = Array.from({ length: 5000 }, (_, i) => ({
  sensor: `sensor-${i % 7}`,
  time: i * 3,
  value: i % 11,
}))
const sums = await env
  .fromCollection(readings)
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forMonotonousTimestamps<Reading>().withTimestampAssigner(reading => reading.time),
  )
  .keyBy(reading => reading.sensor)
  .process(new SumPerSecond())
  .executeAndCollect('sums')

// 3: print, with what the first jobs gave.
env
  .fromElements(`words ${words.length}`, `sums ${sums.length}`)
  .rebalance()
  .map(line => line)
  .print('seen')
await env.execute('print')
console.log(JSON.stringify({ words, sums }))
