import { createHashMapKeyedStateBackend, type KeyedStateBackend } from '@flink-ts/state'
import { expect, test } from 'vitest'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import { windowOperator } from './create-window-operator.ts'

interface Visit {
  readonly key: unknown
  readonly n: unknown
}

type Aggregate = {
  createAccumulator: () => unknown
  add: (visit: Visit, accumulator: never) => unknown
  merge?: (a: never, b: never) => unknown
}

const tumbling = TumblingEventTimeWindows.of(100)
/** Without `merge` each record is added to each of its windows. */
const sliding = SlidingEventTimeWindows.of(100, 50)

async function open(aggregate: Aggregate, assigner: unknown = tumbling) {
  const options = { keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128 }
  const backend: KeyedStateBackend = await createHashMapKeyedStateBackend(options, [], {
    readRange: () => Promise.reject(new Error('nothing is restored')),
  })
  const factory = windowOperator<unknown, Visit, never>({
    assigner: assigner as never,
    keySelector: ({ key }) => key,
    aggregation: {
      type: 'aggregate',
      aggregate: { ...aggregate, getResult: (acc: unknown) => acc } as never,
    },
    output: {
      type: 'result',
      function: (key: unknown, window: { end: number }, result: unknown) => [key, window.end, result],
    } as never,
  })
  const harness = await new OperatorHarness(factory, { backend }).open()
  return { harness, state: backend.namespacedState({ kind: 'aggregating', name: 'window-contents' }) }
}

const sums: Aggregate = {
  createAccumulator: () => ({ count: 0, sum: 0 }),
  add: ({ n }, acc: { count: number; sum: number }) => {
    acc.count++
    acc.sum += n as number
    return acc
  },
}

test('accumulators of integer keys are numbers in columns, of other keys objects, and results are alike', async () => {
  const { harness, state } = await open(sums)
  const keys = [1, 'one', 1.5, -1, 2 ** 31, -(2 ** 31), 0, -0, Number.NaN]
  for (const n of [1, 0.5, 3]) for (const key of keys) harness.push({ key, n }, 10)
  const table = state.table(0)
  expect([table.numbers?.size, table.size]).toEqual([3, 5])
  expect(table.numbers?.find(-1)).toBeGreaterThanOrEqual(0)
  harness.advance(1000)
  const results = harness.values() as [unknown, number, unknown][]
  const of = (key: unknown) => results.filter(([each]) => Object.is(each, key) || each === key)
  for (const key of [1, 'one', 1.5, -1, 2 ** 31, -(2 ** 31), Number.NaN]) {
    expect(of(key)).toEqual([[key, 100, { count: 3, sum: 4.5 }]])
  }
  expect(of(0)).toEqual([[0, 100, { count: 6, sum: 9 }]])
  // Emitted results are nobody else's.
  expect(new Set(results.map(([, , result]) => result)).size).toBe(results.length)
})

test.each([
  ['tumbling', tumbling, [100]],
  ['sliding', sliding, [100, 150]],
])('%s: what does not fit into columns stays as the function made it', async (_, assigner, ends) => {
  const { harness } = await open(
    {
      createAccumulator: () => ({ count: 0, last: 0 }),
      add: ({ n }, acc: Record<string, unknown>) => {
        acc.count = (acc.count as number) + 1
        acc.last = n
        if (n === 'field') acc.late = true
        return n === 'null' ? null : n === 'number' ? 7 : n === 'array' ? [1, 2] : acc
      },
    },
    assigner,
  )
  const odd = ['text', 'field', undefined, 10n, 'null', 'number', 'array']
  for (const [key] of odd.entries()) harness.push({ key, n: 1 }, 60)
  for (const [key, n] of odd.entries()) harness.push({ key, n }, 60)
  for (const key of [0, 1, 2, 3]) harness.push({ key, n: 2 }, 60)
  harness.push({ key: 100, n: 3 }, 60)
  harness.advance(1000)
  const results = harness.values() as [number, number, unknown][]
  for (const end of ends) {
    const at = new Map(results.filter(each => each[1] === end).map(([key, , result]) => [key, result]))
    expect(at).toEqual(
      new Map<number, unknown>([
        [0, { count: 3, last: 2 }],
        [1, { count: 3, last: 2, late: true }],
        [2, { count: 3, last: 2 }],
        [3, { count: 3, last: 2 }],
        [4, null],
        [5, 7],
        [6, [1, 2]],
        [100, { count: 1, last: 3 }],
      ]),
    )
  }
  expect(results.length).toBe(ends.length * 8)
})

test('what a function made and what it was given stay its own', async () => {
  const nothing = { count: 0, sum: 0 }
  const given: unknown[] = []
  const { harness } = await open({
    createAccumulator: () => nothing,
    add: (_, acc: { count: number; sum: number }) => {
      given.push(acc)
      return { count: acc.count + 1, sum: acc.sum + 2 }
    },
  })
  for (const end of [100, 200]) {
    for (const key of [0, 1, 1, 2]) harness.push({ key, n: 1 }, end - 1)
    harness.advance(end)
  }
  const counts = (harness.values() as [number, number, unknown][]).map(([key, , result]) => [key, result])
  for (const [key, count] of [
    [0, 1],
    [1, 2],
    [2, 1],
  ]) {
    const result = { count, sum: 2 * (count as number) }
    expect(counts.filter(each => each[0] === key)).toEqual([
      [key, result],
      [key, result],
    ])
  }
  expect(nothing).toEqual({ count: 0, sum: 0 })
  expect(given.filter(acc => acc !== nothing)).toEqual([
    { count: 1, sum: 2 },
    { count: 1, sum: 2 },
  ])
})

test('an accumulator made anew by each record, and one that is a number', async () => {
  const anew = await open({
    createAccumulator: () => ({ most: Number.NEGATIVE_INFINITY }),
    add: ({ n }, { most }: { most: number }) => ({ most: Math.max(most, n as number) }),
  })
  const counts = await open({ createAccumulator: () => 0, add: (_, count: number) => count + 1 })
  for (const { harness } of [anew, counts]) {
    for (const n of [3, Number.NaN, 5]) harness.push({ key: n === 3 ? 1 : 2, n }, 0)
    harness.push({ key: 1, n: -0 }, 0)
    harness.advance(1000)
  }
  const byKey = (values: readonly unknown[]) => new Map(values.map(value => [(value as [number])[0], value]))
  expect(byKey(anew.harness.values())).toEqual(
    new Map([
      [1, [1, 100, { most: 3 }]],
      [2, [2, 100, { most: Number.NaN }]],
    ]),
  )
  expect(byKey(counts.harness.values())).toEqual(
    new Map([
      [1, [1, 100, 2]],
      [2, [2, 100, 2]],
    ]),
  )
})

test('a function that makes accumulators only when it is open keeps its objects', async () => {
  let isOpen = false
  const { harness, state } = await open({
    createAccumulator: () => {
      if (!isOpen) throw new Error('not open yet')
      return { count: 0 }
    },
    add: (_, acc: { count: number }) => ({ count: acc.count + 1 }),
  })
  isOpen = true
  harness.push({ key: 1, n: 1 }, 0)
  expect(state.table(0).numbers).toBeUndefined()
  harness.advance(1000)
  expect(harness.values()).toEqual([[1, 100, { count: 1 }]])
})

test('an error of the function names the record, for a key in columns as well', async () => {
  const { harness } = await open({
    createAccumulator: () => 0,
    add: ({ n }, sum: number) => {
      if ((n as number) < 0) throw new Error('negative')
      return sum + (n as number)
    },
  })
  harness.push({ key: 1, n: 1 }, 0)
  expect(() => harness.push({ key: 1, n: -7 }, 0)).toThrow(/negative.*n: -7/s)
  expect(() => harness.push({ key: 2, n: -8 }, 0)).toThrow(/negative.*n: -8/s)
})
