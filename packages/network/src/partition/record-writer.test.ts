import { SeededRandom } from '@flink-ts/common'
import { keyGroupOf, subtaskOfKeyGroup } from '@flink-ts/serialization'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidPartition, InvalidRecordKey, WrongChannelCount } from '../errors.ts'
import { createRecordWriter, type Partitioner } from './record-writer.ts'

function edge(partitioner: Partitioner, channels: number, subtaskIndex = 0, maxParallelism = 128) {
  const out: unknown[][] = Array.from({ length: channels }, () => [])
  // Functions and writers may be mixed.
  const targets = out.map((list, i) =>
    i % 2 === 0
      ? (record: unknown) => void list.push(record)
      : { write: (record: unknown) => void list.push(record) },
  )
  const push = createRecordWriter(partitioner, targets, {
    maxParallelism,
    subtaskIndex,
    operator: 'parse',
    failed: (functionName, thrown, record) =>
      new Error(`${functionName} at ${JSON.stringify(record)}`, { cause: thrown }),
    random: new SeededRandom(1),
  })
  return { out, push }
}

function failure(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('did not fail')
}

describe('record writer', () => {
  test('hash sends each record to the owner of its key group', () => {
    const key = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.bigInt(),
      fc.tuple(fc.string(), fc.integer()),
      fc.date({ noInvalidDate: true }),
    )
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 40, max: 300 }),
        (keys, channels, max) => {
          const { out, push } = edge(
            { type: 'hash', keySelector: (r: { key: unknown }) => r.key },
            channels,
            0,
            max,
          )
          const expected: unknown[][] = out.map(() => [])
          for (const one of [...keys, -0, 0]) {
            const record = { key: one }
            push(record)
            expected[subtaskOfKeyGroup(max, channels, keyGroupOf(one, max))]?.push(record)
          }
          for (const [i, list] of out.entries()) {
            expect(list.length).toBe(expected[i]?.length)
            expect(list.every((record, k) => record === expected[i]?.[k])).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['rebalance', 'rescale'] as const)('%s goes round, starting at the subtask', type => {
    const { out, push } = edge({ type }, 3, 4)
    for (let i = 0; i < 7; i++) push(i)
    expect(out).toEqual([
      [2, 5],
      [0, 3, 6],
      [1, 4],
    ])
  })

  test('forward, broadcast, global, one channel', () => {
    const forward = edge({ type: 'forward' }, 1)
    forward.push('a')
    expect(forward.out).toEqual([['a']])
    const broadcast = edge({ type: 'broadcast' }, 40)
    broadcast.push('a')
    expect(broadcast.out.every(list => list.length === 1)).toBe(true)
    const global = edge({ type: 'global' }, 3)
    global.push('a')
    expect(global.out).toEqual([['a'], [], []])
    const alone = edge({ type: 'hash', keySelector: () => expect.unreachable('not for one channel') }, 1)
    alone.push('a')
    expect(alone.out).toEqual([['a']])
  })

  test('shuffle reaches all channels about equally', () => {
    const { out, push } = edge({ type: 'shuffle' }, 4)
    for (let i = 0; i < 4000; i++) push(i)
    for (const list of out) expect(Math.abs(list.length - 1000)).toBeLessThan(150)
  })

  test('custom goes where the function says; another answer is an error that shows it', () => {
    const { out, push } = edge(
      { type: 'custom', partition: (r: { to: number }, channels: number) => r.to + channels - 3 },
      3,
    )
    push({ to: 2 })
    push({ to: 0 })
    expect(out).toEqual([[{ to: 0 }], [], [{ to: 2 }]])
    for (const to of [3, -1, 0.5, Number.NaN, 'x', undefined]) {
      const error = failure(() => push({ to }))
      expect(InvalidPartition.is(error)).toBe(true)
      expect(error.message).toMatch(
        /answered .* for the record \{ to: .* \}: it must return a whole number from 0 to 2/,
      )
    }
    expect(InvalidPartition.is(failure(() => edge({ type: 'custom', partition: () => 1 }, 1).push(1)))).toBe(
      true,
    )
  })

  test('an invalid key names operator, record and what is allowed; errors of the functions say which one threw', () => {
    const { push } = edge({ type: 'hash', keySelector: (r: { id?: unknown }) => r.id }, 2)
    const error = failure(() => push({ id: null, name: 'x' }))
    expect(InvalidRecordKey.is(error)).toBe(true)
    expect(error.message).toContain(
      "behind operator 'parse' gave no valid key for the record { id: null, name: 'x' }",
    )
    expect(error.message).toContain('null cannot be a key')
    expect(error.message).toContain('Keys are strings, numbers')
    const own = new Error('own')
    const throwing = edge(
      {
        type: 'hash',
        keySelector: () => {
          throw own
        },
      },
      2,
    )
    expect(failure(() => throwing.push(1))).toMatchObject({ message: 'the key selector at 1', cause: own })
    const custom = edge(
      {
        type: 'custom',
        partition: () => {
          throw own
        },
      },
      2,
    )
    expect(failure(() => custom.push(2))).toMatchObject({ message: 'the partitioner at 2', cause: own })
  })

  test('numbers of channels that make no sense are refused', () => {
    expect(WrongChannelCount.is(failure(() => edge({ type: 'forward' }, 2)))).toBe(true)
    expect(WrongChannelCount.is(failure(() => edge({ type: 'hash', keySelector: String }, 0)))).toBe(true)
  })
})
