import type { OperatorId } from '@flink-ts/common'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '@flink-ts/state'
import { describe, expect, test } from 'vitest'
import { keyedProcessOperator } from '../builtin/keyed-process-operator.ts'
import { mapOperator } from '../builtin/map-operator.ts'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import {
  AverageAccumulator,
  type Counter,
  Histogram,
  IntCounter,
  ListAccumulator,
  MaximumAccumulator,
  MinimumAccumulator,
} from './accumulators.ts'
import type { RichFunction, RuntimeContext } from './rich-function.ts'

describe('accumulators', () => {
  const factory = mapOperator<number, number>({
    open(this: { count?: Counter; all?: readonly { add(n: number): void }[] }, context: RuntimeContext) {
      this.count = context.getIntCounter('count')
      this.all = [
        context.addAccumulator('sum', new IntCounter()),
        context.addAccumulator('mean', new AverageAccumulator()),
        context.addAccumulator('lowest', new MinimumAccumulator()),
        context.addAccumulator('highest', new MaximumAccumulator()),
        context.addAccumulator('seen', new Histogram()),
        context.addAccumulator('all', new ListAccumulator<number>()),
      ]
    },
    map(this: { count?: Counter; all?: readonly { add(n: number): void }[] }, value: number) {
      this.count?.add()
      for (const accumulator of this.all ?? []) accumulator.add(value)
      return value
    },
  } as RichFunction & { map(value: number): number })

  test('are part of snapshots: records count once', async () => {
    const first = await new OperatorHarness(factory).open()
    for (const value of [3, 1]) first.push(value)
    const restored = await first.snapshot(1)
    first.push(1000)
    const second = await new OperatorHarness(factory, { restored }).open()
    second.push(1)
    expect(second.accumulators).toEqual({
      count: 3,
      sum: 5,
      mean: { kind: 'average', count: 3, sum: 5 },
      lowest: { kind: 'minimum', value: 1 },
      highest: { kind: 'maximum', value: 3 },
      seen: {
        kind: 'histogram',
        counts: [
          [3, 1],
          [1, 2],
        ],
      },
      all: [3, 1, 1],
    })
  })

  test('what was counted before is reported even if nobody asks any more', async () => {
    const first = await new OperatorHarness(factory).open()
    first.push(7)
    const restored = await first.snapshot(1)
    const other = mapOperator<number, number>({ open: () => {}, map: value => value })
    const second = await new OperatorHarness(other, { restored }).open()
    expect(second.accumulators['sum']).toBe(7)
  })

  test('each name once', async () => {
    const twice = mapOperator<number, number>({
      open: context => {
        context.addAccumulator('n', new IntCounter())
        expect(context.getAccumulator('n')?.getLocalValue()).toBe(0)
        context.addAccumulator('n', new IntCounter())
      },
      map: value => value,
    })
    await expect(new OperatorHarness(twice).open()).rejects.toMatchObject({
      code: 'operators.accumulator-exists',
    })
  })
})

test('a function sees all kinds of keyed state', async () => {
  let open: RuntimeContext | undefined
  const factory = keyedProcessOperator((n: number) => n % 2, {
    open: context => {
      open = context
    },
    processElement: (value: number, _context, out: (v: unknown) => void) => {
      const context = open as RuntimeContext
      const count = context.getState(new ValueStateDescriptor('count', 0))
      count.update((count.value() as number) + 1)
      const list = context.getListState(new ListStateDescriptor<number>('list'))
      list.add(value)
      const map = context.getMapState(new MapStateDescriptor<string, number>('map'))
      map.put(`k${value}`, value)
      const sum = context.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
      sum.add(value)
      out([count.value(), [...list.get()], [...map.keys()], sum.get()])
    },
  })
  const harness = await new OperatorHarness(factory).open()
  for (const value of [1, 2, 3]) harness.push(value)
  expect(harness.values()).toEqual([
    [1, [1], ['k1'], 1],
    [1, [2], ['k2'], 2],
    [2, [1, 3], ['k1', 'k3'], 4],
  ])
})

test('state that belongs to no key, and word of checkpoints', async () => {
  const calls: unknown[] = []
  class Buffer {
    buffered: number[] = []
    #list: { get(): readonly number[]; update(values: readonly number[]): void } | undefined

    initializeState(context: Parameters<NonNullable<RichFunction['initializeState']>>[0]): void {
      this.#list = context.getListState(new ListStateDescriptor<number>('buffer'))
      this.buffered = [...this.#list.get()]
      calls.push(['initialize', context.isRestored, context.restoredCheckpointId, [...this.buffered]])
    }

    open(): void {
      calls.push(['open'])
    }

    map(value: number): number {
      this.buffered.push(value)
      return value
    }

    snapshotState(checkpointId: number): void {
      calls.push(['snapshot', checkpointId])
      this.#list?.update(this.buffered)
    }

    notifyCheckpointComplete(checkpointId: number): void {
      calls.push(['complete', checkpointId])
    }
  }
  const first = await new OperatorHarness(mapOperator<number, number>(new Buffer())).open()
  first.push(1)
  const restored = await first.snapshot(4)
  await first.operator.notifyCheckpointComplete?.(4)
  await new OperatorHarness(mapOperator<number, number>(new Buffer()), { restored }).open()
  expect(calls).toEqual([
    ['initialize', false, undefined, []],
    ['open'],
    ['snapshot', 4],
    ['complete', 4],
    ['initialize', true, 4, [1]],
    ['open'],
  ])
})

test('an object with a life cycle is the function of one operator only, of however many attempts', async () => {
  const shared = { open: () => {}, map: (n: number) => n }
  const factory = mapOperator(shared)
  await new OperatorHarness(factory).open()
  await new OperatorHarness(factory).open()
  const another: OperatorFactory = {
    ...factory,
    create: context => factory.create({ ...context, operatorId: 'b' as OperatorId, operatorName: 'b' }),
  }
  expect(() => new OperatorHarness(another)).toThrow(
    /'operator under test' and 'b' have the same object as their function/,
  )
  // Without a life cycle it has nothing of its operator.
  const plain = mapOperator({ map: (n: number) => n })
  await new OperatorHarness(plain).open()
  new OperatorHarness({
    ...another,
    create: context => plain.create({ ...context, operatorId: 'b' as OperatorId }),
  })
})
