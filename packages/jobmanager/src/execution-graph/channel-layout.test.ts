import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consumersOf, producersOf } from './channel-layout.ts'

const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }))
const partitionings = fc.constantFrom(
  'rescale',
  'hash',
  'rebalance',
  'broadcast',
  'global',
  'shuffle',
  'custom',
)

describe('channel layout', () => {
  it('is seen alike from both ends and leaves nobody without a channel', () => {
    fc.assert(
      fc.property(partitionings, sizes, (partitioning, [producers, consumers]) => {
        for (let p = 0; p < producers; p++) {
          expect(consumersOf(partitioning, p, producers, consumers).length).toBeGreaterThan(0)
          for (let c = 0; c < consumers; c++) {
            const there = consumersOf(partitioning, p, producers, consumers).includes(c)
            expect(producersOf(partitioning, c, producers, consumers).includes(p)).toBe(there)
          }
        }
        for (let c = 0; c < consumers; c++) {
          expect(producersOf(partitioning, c, producers, consumers).length).toBeGreaterThan(0)
        }
      }),
    )
  })

  it('connects neighbours in proportion when rescaling', () => {
    expect([0, 1].map(p => consumersOf('rescale', p, 2, 4))).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect([0, 1, 2, 3].map(p => consumersOf('rescale', p, 4, 2))).toEqual([[0], [0], [1], [1]])
    expect([0, 1, 2].map(p => consumersOf('rescale', p, 3, 2))).toEqual([[0], [0], [1]])
  })

  it('keeps forward edges on the diagonal', () => {
    expect(consumersOf('forward', 2, 4, 4)).toEqual([2])
    expect(producersOf('forward', 3, 4, 4)).toEqual([3])
  })
})
