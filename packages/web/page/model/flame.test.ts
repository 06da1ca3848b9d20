import { expect, it } from 'vitest'
import { type FlameNode, flameBars, hotFunctions } from './flame.ts'

const leaf = (name: string, value: number, children: readonly FlameNode[] = []): FlameNode => ({
  ...{ name, value, children },
})

it('places children on their parent, side by side, as wide as their part', () => {
  const root = leaf('root', 100, [leaf('a', 60, [leaf('b', 30)]), leaf('c', 20)])
  expect(
    flameBars(root).map(({ node, depth, from, to, parent }) => [node.name, depth, from, to, parent]),
  ).toEqual([
    ['root', 0, 0, 1, -1],
    ['a', 1, 0, 0.6, 0],
    ['b', 2, 0, 0.3, 1],
    ['c', 1, 0.6, 0.8, 0],
  ])
})

it('leaves out what is too narrow to be seen, and never leaves its parent', () => {
  const root = leaf('root', 10_000, [
    leaf('wide', 9_999, [leaf('more than it has', 20_000)]),
    leaf('thin', 1),
  ])
  const bars = flameBars(root)
  expect(bars.map(({ node }) => node.name)).toEqual(['root', 'wide', 'more than it has'])
  expect(bars[2]?.to).toBeLessThanOrEqual(bars[1]?.to ?? 0)
  expect(flameBars(leaf('root', 0, [leaf('a', 0)]))).toHaveLength(1)
})

it('tells where the time went, a function that calls itself once', () => {
  const root = leaf('root', 10, [leaf('f', 8, [leaf('f', 6, [leaf('g', 5)])]), leaf('g', 2)])
  expect(hotFunctions(root, 5)).toEqual([
    { name: 'g', own: 0.7, all: 0.7 },
    { name: 'f', own: 0.3, all: 0.8 },
  ])
  expect(hotFunctions(root, 1)).toHaveLength(1)
})
