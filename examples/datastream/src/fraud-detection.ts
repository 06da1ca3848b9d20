// Fraud detection: a large amount on a card, within a minute after a small one by which a thief has tried it.
import {
  CollectionSource,
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  ParameterTool,
  type RuntimeContext,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'

interface Transaction {
  readonly card: string
  readonly amount: number
  readonly time: number // milliseconds
}

const [SMALL, LARGE, WITHIN_MS] = [1, 500, 60_000]

class FraudDetector implements KeyedProcessFunction<string, Transaction, string> {
  /** Up to when the last amount, a small one, counts; 0: it was none. */
  #until!: ValueState<number, never>

  open(context: RuntimeContext) {
    this.#until = context.getState(new ValueStateDescriptor('until', 0))
  }

  processElement(
    payment: Transaction,
    { timerService }: KeyedProcessContext<string>,
    out: Collector<string>,
  ) {
    const { card, amount, time } = payment
    const until = this.#until.value()
    if (amount > LARGE && time < until) out(`alert: ${amount} on card ${card}`)
    timerService.deleteEventTimeTimer(until)
    this.#until.clear()
    if (amount >= SMALL) return
    this.#until.update(time + WITHIN_MS)
    timerService.registerEventTimeTimer(time + WITHIN_MS)
  }

  onTimer() {
    this.#until.clear()
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(ParameterTool.fromArgs(env.args).getInt('parallelism', env.getParallelism()))
const amounts = [0.09, 510, 102.62, 91.5, 0.02, 30.01, 701.83, 31.92]

const transactions = Array.from({ length: 120 }, (_, n): Transaction => {
  return { card: `card-${n % 5}`, amount: amounts[n % 8] as number, time: n * 3000 }
})
const strategy = WatermarkStrategy.forMonotonousTimestamps<Transaction>()

// From the source right to the key: what is in between may run in several subtasks, and change the order.
env
  .fromSource(
    new CollectionSource(transactions),
    strategy.withTimestampAssigner(({ time }) => time),
    'transactions',
  )
  .keyBy(({ card }) => card)
  .process(new FraudDetector())
  .print()

await env.execute('fraud detection')
