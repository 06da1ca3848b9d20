import { createHashMapKeyedStateBackend } from '@flink-ts/state'
import { expect, test } from 'vitest'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import { windowOperator } from './create-window-operator.ts'

interface Record {
  readonly key: unknown
  readonly n: number
}

/** Counts by key in windows of 100 ms; groups from the first key on. */
async function open() {
  const options = { keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128 }
  const backend = await createHashMapKeyedStateBackend(options, [], {
    readRange: async () => Buffer.alloc(0),
  })
  const factory = windowOperator<unknown, Record, never>(
    {
      assigner: TumblingEventTimeWindows.of(100) as never,
      keySelector: ({ key }) => key,
      aggregation: {
        type: 'aggregate',
        aggregate: {
          createAccumulator: () => ({ sum: 0 }),
          add(record: Record, acc: { sum: number }) {
            if (record.n < 0) throw new Error('negative')
            acc.sum += record.n
            return acc
          },
          getResult: (acc: { sum: number }) => acc.sum,
          merge: (a: { sum: number }) => a,
        } as never,
      },
      output: {
        type: 'result',
        function: (key: unknown, _window: unknown, sum: unknown) => [key, sum],
      } as never,
    },
    0,
  )
  return new OperatorHarness(factory, { backend }).open()
}

test('records of one group that bring the same new key meet in one entry', async () => {
  const harness = await open()
  for (let i = 0; i < 40; i++) harness.push({ key: i % 5 === 0 ? 'text' : i % 3, n: 1 }, i)
  harness.advance(1000)
  const sums = new Map(harness.values() as [unknown, number][])
  expect(sums).toEqual(
    new Map<unknown, number>([
      ['text', 8],
      [0, 11],
      [1, 11],
      [2, 10],
    ]),
  )
})

test('what fails is told with its own record, the key that is none too', async () => {
  const bad = await open()
  for (let i = 0; i < 8; i++) bad.push({ key: 'a', n: i === 3 ? -7 : i }, i)
  expect(() => bad.advance(1000)).toThrow(/negative.*n: -7/s)
  const none = await open()
  none.push({ key: 'a', n: 1 }, 0)
  none.push({ key: undefined, n: 42 }, 1)
  expect(() => none.advance(1000)).toThrow(/n: 42/)
})
