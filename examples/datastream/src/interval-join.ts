// Orders and their payments: those paid within an hour, joined; late payments and unpaid orders give nothing.
import { ParameterTool, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

interface Order {
  readonly id: number
  readonly item: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

interface Payment {
  readonly orderId: number
  readonly amount: number
  readonly time: number
}

const at = (clock: string): number => Date.parse(`2026-03-01T${clock}Z`)
const orders: Order[] = [
  { id: 1, item: 'shoes', time: at('10:00:00') },
  { id: 2, item: 'hat', time: at('10:05:00') },
  { id: 3, item: 'coat', time: at('10:30:00') },
]
const payments: Payment[] = [
  { orderId: 2, amount: 15, time: at('10:06:00') },
  { orderId: 1, amount: 60, time: at('11:00:00') },
  { orderId: 3, amount: 99, time: at('11:30:01') },
]

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

const timed = <T extends { readonly time: number }>(): WatermarkStrategy<T> =>
  WatermarkStrategy.forMonotonousTimestamps<T>().withTimestampAssigner(record => record.time)

env
  .fromCollection(orders)
  .assignTimestampsAndWatermarks(timed())
  .keyBy(order => order.id)
  .intervalJoin(
    env
      .fromCollection(payments)
      .assignTimestampsAndWatermarks(timed())
      .keyBy(payment => payment.orderId),
  )
  .between('0 s', '1 h')
  .process((order, payment) => `${order.item} paid with ${payment.amount}`)
  .print()

await env.execute('interval join')
