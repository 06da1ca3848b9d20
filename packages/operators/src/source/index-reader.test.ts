import { nullLogger } from '@flink-ts/common'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IndexReader, type IndexSplit } from './index-reader.ts'

function reader(splits: readonly IndexSplit[], shares: number[] = []): IndexReader<number> {
  const context = {
    ...{ subtaskIndex: 0, parallelism: 1, logger: nullLogger },
    ...{ wake: () => {}, fail: () => {}, sendSplitRequest: () => {}, sendSourceEvent: () => {} },
  }
  const made = new IndexReader<number>(context, 'test', undefined, share => {
    shares.push(share)
    return { take: wanted => wanted, delayMs: () => 0 }
  })
  made.addSplits(splits)
  return made
}

const split = fc.record({
  next: fc.nat({ max: 50 }),
  step: fc.integer({ min: 1, max: 5 }),
  end: fc.nat({ max: 60 }),
})

test('several splits are read whole and in order, also through snapshots', () => {
  fc.assert(
    fc.property(
      fc.array(split, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (splits, batches, restored) => {
        const expected = splits.flatMap(({ next, step, end }) => {
          const indices: number[] = []
          for (let i = next; i < end; i += step) indices.push(i)
          return indices
        })
        const records: number[] = []
        let source = reader(splits)
        for (let i = 0; i < 1000; i++) {
          if (restored) source = reader(source.snapshot())
          const before = records.length
          const max = batches[i % batches.length] as number
          const answer = source.poll(max, { collect: value => void records.push(value) })
          expect(records.length - before).toBeLessThanOrEqual(max)
          if (answer === 'end') break
        }
        expect(records).toEqual(expected.sort((a, b) => a - b))
      },
    ),
  )
})

test('of two splits without end the one that is behind catches up, and both go on', () => {
  const source = reader([
    { next: 100, step: 2, end: null },
    { next: 51, step: 2, end: null },
  ])
  const records: number[] = []
  for (let i = 0; i < 10; i++) source.poll(10, { collect: value => void records.push(value) })
  expect(records.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, i) => 51 + 2 * i))
  expect(records.slice(25)).toEqual(Array.from({ length: 75 }, (_, i) => 100 + i))
})

test('the limiter is for what there is to read: a rate does not change with the parallelism', () => {
  const shares: number[] = []
  reader([{ next: 0, step: 1, end: null }], shares)
  reader([], shares)
  reader(
    [
      { next: 0, step: 4, end: null },
      { next: 3, step: 4, end: 9 },
    ],
    shares,
  )
  expect(shares).toEqual([1, 0.5])
})
