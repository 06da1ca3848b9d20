import {
  DataGeneratorSource,
  DescriptiveStatisticsHistogram,
  DiscardingSink,
  type RuntimeContext,
  WatermarkStrategy,
} from '@flink-ts/operators'
import { StreamExecutionEnvironment } from '@flink-ts/streaming'

// A program of jobs that come to different ends, for tests of what is shown of them: its argument says which.

interface Order {
  readonly customer: string
  readonly amount: number
  readonly time: number
}

/** Shows numbers of its own. */
class Watched {
  #seen: { add(value?: number): void } | undefined
  #sizes: DescriptiveStatisticsHistogram | undefined

  open(context: RuntimeContext): void {
    this.#seen = context.getIntCounter('orders')
    const group = context.getMetricGroup().addGroup('orders')
    this.#sizes = group.histogram('amount', new DescriptiveStatisticsHistogram())
    group.gauge('gauge', () => 42)
  }

  map(order: Order): Order {
    this.#seen?.add()
    this.#sizes?.update(order.amount)
    return order
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(2)
switch (env.args[0]) {
  case 'running':
    env.enableCheckpointing(200)
    env
      .fromSource(
        new DataGeneratorSource<Order>({
          generator: index => ({ customer: `c${index % 10}`, amount: index % 100, time: index }),
          ratePerSecond: 500,
        }),
        WatermarkStrategy.forMonotonousTimestamps<Order>().withTimestampAssigner(order => order.time),
        'orders',
      )
      .keyBy(order => order.customer)
      .map(new Watched())
      .name('watched')
      .sinkTo(new DiscardingSink())
    await env.executeAsync('running')
    break
  case 'busy':
    env
      .fromSource(
        new DataGeneratorSource<number>({ generator: index => index }),
        WatermarkStrategy.noWatermarks<number>(),
        'numbers',
      )
      .keyBy(number => (number % 4 === 0 ? number % 100 : 1))
      .map(function shorten(number): number {
        let sum = 0
        for (const digit of String(number)) sum += Number(digit)
        return sum
      })
      .name('shortened')
      .sinkTo(new DiscardingSink())
    await env.executeAsync('busy')
    break
  case 'wide':
    env.setParallelism(64)
    env
      .fromSequence(1, 1000)
      .keyBy(value => value)
      .map(value => value)
      .rebalance()
      .sinkTo(new DiscardingSink())
    await env.executeAsync('wide')
    break
  case 'failed':
    env.setRestartStrategy({ type: 'fixed-delay', attempts: 1, delayMs: 0 })
    env
      .fromSequence(1, 1000)
      .map((value): number => {
        if (value === 500) throw new RangeError('500 is not welcome')
        return value
      })
      .sinkTo(new DiscardingSink())
    await env.executeAsync('failed')
    break
  default:
    env.fromSequence(1, 1000).sinkTo(new DiscardingSink())
    await env.executeAsync('finished')
}
