import {
  type AsyncKeyedProcessFunction,
  AsyncRetryStrategies,
  type BroadcastProcessFunction,
  type KeyedBroadcastProcessFunction,
  type KeyedCoProcessFunction,
  OutputTag,
  type TimeWindow,
  TumblingEventTimeWindows,
} from '@flink-ts/operators'
import { MapStateDescriptor } from '@flink-ts/state'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { planned, plannedJob } from '../graph/fake-context.ts'
import { AsyncDataStream } from './async-data-stream.ts'
import type { DataStream } from './data-stream.ts'

interface Order {
  readonly id: number
  readonly item: string
}
interface Payment {
  readonly orderId: number
  readonly amount: number
}
const rules = new MapStateDescriptor<string, { readonly above: number }>('rules')

test('types are inferred through connections, joins and asynchronous functions', () =>
  planned(env => {
    const orders = env.fromElements<Order>({ id: 1, item: 'hat' })
    const payments = env.fromElements<Payment>({ orderId: 1, amount: 9 })
    const keyedOrders = orders.keyBy(order => order.id)
    const keyedPayments = payments.keyBy(payment => payment.orderId)

    expectTypeOf(
      orders.connect(payments).map<string | number>(
        order => order.item,
        payment => payment.amount,
      ),
    ).toExtend<DataStream<string | number>>()
    expectTypeOf(
      orders.connect(payments).flatMap<string>(
        order => [order.item],
        (payment, out) => out(String(payment.amount)),
      ),
    ).toExtend<DataStream<string>>()
    const both: KeyedCoProcessFunction<number, Order, Payment, boolean> = {
      processElement1: (_order, context, out) => out(context.currentKey > 0),
      processElement2: (payment, _context, out) => out(payment.amount > 0),
    }
    expectTypeOf(keyedOrders.connect(keyedPayments).process(both)).toExtend<DataStream<boolean>>()
    orders
      .connect(payments)
      .keyBy(
        order => order.id,
        payment => payment.orderId,
      )
      .process(both)

    const joined = keyedOrders
      .intervalJoin(keyedPayments)
      .between('-1 min', { hours: 1 })
      .upperBoundExclusive()
      .sideOutputLeftLateData(new OutputTag<Order>('late orders'))
      .process((order, payment) => ({ ...order, ...payment }))
    expectTypeOf(joined).toExtend<DataStream<Order & Payment>>()
    expectTypeOf(
      orders
        .join(payments)
        .where(order => order.id)
        .equalTo(payment => payment.orderId)
        .window(TumblingEventTimeWindows.of('1 min'))
        .allowedLateness('1 s')
        .apply((order, payment) => [order.item, payment.amount] as const),
    ).toExtend<DataStream<readonly [string, number]>>()
    expectTypeOf(
      orders
        .coGroup(payments)
        .where(order => order.id)
        .equalTo(payment => payment.orderId)
        .window<TimeWindow>(TumblingEventTimeWindows.of('1 min'))
        .apply((left, right) => [left.length + right.length]),
    ).toExtend<DataStream<number>>()

    const applyRules: BroadcastProcessFunction<Order, string, Order> = {
      processElement: (order, context, out) => {
        expectTypeOf(context.getBroadcastState(rules).get('x')).toEqualTypeOf<
          { readonly above: number } | undefined
        >()
        out(order)
      },
      processBroadcastElement: (rule, context) => context.getBroadcastState(rules).put(rule, { above: 1 }),
    }
    expectTypeOf(orders.connect(env.fromElements('rule').broadcast(rules)).process(applyRules)).toExtend<
      DataStream<Order>
    >()
    const keyedRules: KeyedBroadcastProcessFunction<number, Order, string, number> = {
      processElement: (_order, context, out) => out(context.currentKey),
      processBroadcastElement: (_rule, context) =>
        context.applyToKeyedState(rules, (key, state) => {
          expectTypeOf(key).toEqualTypeOf<number>()
          state.clear()
        }),
    }
    expectTypeOf(keyedOrders.connect(env.fromElements('rule').broadcast(rules)).process(keyedRules)).toExtend<
      DataStream<number>
    >()

    expectTypeOf(orders.mapAsync(async order => order.item.length)).toExtend<DataStream<number>>()
    expectTypeOf(
      orders.mapAsync(async order => order.item, { retry: AsyncRetryStrategies.fixedDelay(1, 0) }),
    ).toExtend<DataStream<string>>()
    expectTypeOf(
      AsyncDataStream.unorderedWaitWithRetry(
        orders,
        { asyncInvoke: async order => [order.item] },
        '1 s',
        5,
        AsyncRetryStrategies.fixedDelay(1, 0),
      ),
    ).toExtend<DataStream<string>>()
    const score: AsyncKeyedProcessFunction<number, Order, bigint> = {
      processElement: async (order, context, out) => out(BigInt(context.currentKey + order.id)),
    }
    expectTypeOf(keyedOrders.asyncProcess(score, { capacity: 5 })).toExtend<DataStream<bigint>>()
    expectTypeOf(orders.project('item')).toExtend<DataStream<{ readonly item: string }>>()
    expectTypeOf(
      keyedPayments
        .sum('amount')
        .keyBy(p => p.amount)
        .maxBy(p => p.orderId),
    ).toExtend<DataStream<Payment>>()
    expectTypeOf(orders.collectAsync()).toEqualTypeOf<AsyncIterable<Order>>()
  }))

// Never called: what must not compile.
export function mustNotCompile(orders: DataStream<Order>, payments: DataStream<Payment>): void {
  // @ts-expect-error: keys of different types
  orders.keyBy(order => order.item).intervalJoin(payments.keyBy(payment => payment.orderId))
  // @ts-expect-error: a field that cannot be added up
  orders.keyBy(order => order.id).sum('item')
  // @ts-expect-error: no such field
  orders.project('price')
  // @ts-expect-error: not a promise
  orders.mapAsync(order => order.item)
  orders
    .join(payments)
    .where(order => order.id)
    // @ts-expect-error: keys of different types
    .equalTo(payment => String(payment.amount))
}

describe('graphs', () => {
  test('two inputs are edges of their own, keyed by their selectors; also of one stream', async () => {
    const { graph, program } = await plannedJob(env => {
      const numbers = env.fromSequence(1, 9)
      const keyed = numbers.keyBy(n => n % 3)
      keyed
        .connect(numbers.map(n => -n).keyBy(n => -n % 3))
        .map(
          n => n,
          n => n,
        )
        .print()
      numbers.connect(numbers).map(
        n => n,
        n => n,
      )
    })
    const coMap = graph.vertices.find(({ name }) => name.startsWith('Co-Map -> Print'))
    const edges = graph.edges.filter(({ target }) => target === coMap?.id)
    expect(edges.map(({ targetInput, partitioning }) => [targetInput, partitioning])).toEqual([
      [0, 'hash'],
      [1, 'hash'],
    ])
    const nodeId = coMap?.operators[0]?.nodeId as number
    expect(program.keySelector(nodeId, 0)?.(7 as never)).toBe(1)
    expect(program.keySelector(nodeId, 1)?.(-7 as never)).toBe(1)
    const self = graph.vertices.find(({ name }) => name === 'Co-Map')
    expect(graph.edges.filter(({ target }) => target === self?.id)).toHaveLength(2)
    expect(graph.fingerprintLines).toContain('3 co-map "Co-Map" from 1 by hash, 2 second by hash')
  })

  test('which input a stream feeds is part of the identity of state', async () => {
    const idOf = async (swap: boolean): Promise<unknown> => {
      const { graph } = await plannedJob(env => {
        const [a, b] = [env.fromElements(1), env.fromSequence(1, 2)]
        const f = (n: number): number => n
        if (swap) b.connect(a).map(f, f)
        else a.connect(b).map(f, f)
      })
      return graph.vertices.flatMap(({ operators }) => operators).find(({ kind }) => kind === 'co-map')
        ?.operatorId
    }
    expect(await idOf(true)).not.toBe(await idOf(false))
  })

  test('broadcast edges go to all subtasks; windows of joins are keyed', async () => {
    const { graph } = await plannedJob(env => {
      const numbers = env.fromSequence(1, 9)
      numbers
        .connect(env.fromElements('rule').broadcast(rules))
        .process({ processElement: () => {}, processBroadcastElement: () => {} })
        .print()
      numbers
        .join(env.fromSequence(1, 2))
        .where(n => n)
        .equalTo(n => n)
        .window(TumblingEventTimeWindows.of(1))
        .apply((a, b) => a + b)
        .print()
    })
    expect(graph.edges.map(({ partitioning }) => partitioning).sort()).toEqual([
      'broadcast',
      ...['forward', 'hash', 'hash'],
    ])
  })
})

test('a join keeps the parallelism of its inputs, and so the order of their records', async () => {
  const { graph } = await plannedJob(
    env => {
      const left = env.fromSequence(1, 9).setParallelism(2)
      expect(left.getParallelism()).toBe(2)
      left
        .coGroup(env.fromElements(1))
        .where(n => n)
        .equalTo(n => n)
        .window(TumblingEventTimeWindows.of(1))
        .apply((a, b) => [...a, ...b])
    },
    { 'parallelism.default': '4' },
  )
  expect(graph.vertices.map(({ name, parallelism }) => `${name} x${parallelism}`)).toEqual([
    'Source: Sequence -> Map x2',
    'Source: Collection -> Map x1',
    'Tumbling Window x4',
  ])
})

test('functions with a life cycle behind keyBy get the key of each record, others need none', async () => {
  const { program } = await plannedJob(env => {
    const keyed = env.fromSequence(1, 9).keyBy(n => n % 3)
    const open = (): void => {}
    keyed.map({ open, map: n => n })
    keyed.flatMap({ open, flatMap: n => [n] })
    keyed.filter({ open, filter: () => true })
    keyed.map(n => n)
    keyed.map({ map: n => n })
  })
  const keys = [2, 3, 4, 5, 6].map(nodeId => program.keySelector(nodeId, 0)?.(7 as never))
  expect(keys).toEqual([1, 1, 1, undefined, undefined])
})

test('the id of state can be given itself; one subtask whatever is set', async () => {
  const id = '0123456789abcdef0123456789abcdef'
  const { graph } = await plannedJob(env => {
    const map = env.fromSequence(1, 2).map(n => n)
    map.setUidHash(id).uid('ignored').setParallelism(5).forceNonParallel()
    expect(() => map.setUidHash('short')).toThrow(/32 hexadecimal digits/)
  })
  const vertex = graph.vertices.find(({ operators }) => operators.some(({ operatorId }) => operatorId === id))
  expect(vertex?.parallelism).toBe(1)
})

describe('mistakes are told at the call', () => {
  const refused = (build: (env: Parameters<Parameters<typeof planned>[0]>[0]) => unknown, message: RegExp) =>
    expect(planned(env => build(env))).rejects.toThrow(message)

  test.each<[string, Parameters<typeof refused>[0], RegExp]>([
    [
      'connect.map',
      env =>
        env
          .fromElements(1)
          .connect(env.fromElements(2))
          .map(((n: number) => n) as never),
      /map2/,
    ],
    [
      'process',
      env =>
        env
          .fromElements(1)
          .connect(env.fromElements(2))
          .process({} as never),
      /processElement1/,
    ],
    [
      'a stream of another job',
      async env => {
        const old = env.fromElements(1)
        old.print()
        await env.execute()
        env
          .fromElements(2)
          .connect(old)
          .map(
            n => n,
            n => n,
          )
      },
      /already executed/,
    ],
    [
      'bounds',
      env => {
        const keyed = env.fromElements(1).keyBy(n => n)
        keyed.intervalJoin(keyed).between('1 s', '0 s')
      },
      /1000 ms to 0 ms/,
    ],
    [
      'intervalJoin with a stream without keys',
      env =>
        env
          .fromElements(1)
          .keyBy(n => n)
          .intervalJoin(env.fromElements(1) as never),
      /keyBy/,
    ],
    ['capacity', env => env.fromElements(1).mapAsync(async n => n, { capacity: 0 }), /capacity 0/],
    ['timeout', env => env.fromElements(1).mapAsync(async n => n, { timeout: 0 }), /at least 1 ms/],
    ['asyncInvoke', env => env.fromElements(1).flatMapAsync({} as never), /asyncInvoke/],
    [
      'project',
      env => (env.fromElements({ a: 1 }).project as () => unknown).call(env.fromElements({ a: 1 })),
      /names of one/,
    ],
    [
      'side output',
      env => env.fromElements(1).getSideOutput('late' as never),
      /getSideOutput got late: give a tag/,
    ],
    [
      'late data',
      env =>
        env
          .fromElements(1)
          .timeWindowAll('1 s')
          .sideOutputLateData(undefined as never),
      /sideOutputLateData got undefined: give a tag/,
    ],
    ['split', env => env.fromElements(1).split(), /side outputs/],
    [
      'join.apply',
      env => {
        const numbers = env.fromElements(1)
        numbers
          .join(numbers)
          .where(n => n)
          .equalTo(n => n)
          .window(TumblingEventTimeWindows.of(1))
          .apply('x' as never)
      },
      /join/,
    ],
  ])('%s', (_name, build, message) => refused(build, message))
})

test('bounds that are exclusive are moved by a millisecond, once', async () => {
  const { program } = await plannedJob(env => {
    const keyed = env.fromElements(1).keyBy(n => n)
    keyed
      .intervalJoin(keyed)
      .between(0, 0)
      .lowerBoundExclusive()
      .lowerBoundExclusive()
      .upperBoundExclusive()
      .process((a, b) => a + b)
  })
  expect(program.operatorFactory(2).kind).toBe('interval-join')
})
