import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type StackNode, StackTree } from './stack-tree.ts'

const stacks = fc.array(
  fc.tuple(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }), fc.integer({ min: 1, max: 50 })),
  { maxLength: 40 },
)

function treeOf(samples: readonly (readonly [readonly string[], number])[]): StackNode {
  const tree = new StackTree()
  for (const [path, count] of samples) tree.add(path, count)
  return tree.toNode('root')
}

it('merging trees is the same as one tree of all samples', () => {
  fc.assert(
    fc.property(stacks, stacks, (some, others) => {
      const merged = new StackTree()
      merged.merge(treeOf(some))
      merged.merge(treeOf(others))
      // Nodes of the same value may stand in another order.
      expect(sorted(merged.toNode('root'))).toEqual(sorted(treeOf([...some, ...others])))
    }),
  )
})

it('no node has fewer samples than those below it', () => {
  fc.assert(
    fc.property(stacks, samples => {
      const check = ({ value, children }: StackNode): void => {
        expect(children.reduce((sum, child) => sum + child.value, 0)).toBeLessThanOrEqual(value)
        for (const child of children) check(child)
      }
      const root = treeOf(samples)
      expect(root.value).toBe(samples.reduce((sum, [, count]) => sum + count, 0))
      check(root)
    }),
  )
})

it('a very large tree is told without what is rare', () => {
  const tree = new StackTree()
  for (let i = 0; i < 20_000; i++) tree.add([`rare ${i}`], 1)
  tree.add(['frequent'], 5000)
  const { value, children } = tree.toNode('root')
  expect(value).toBe(25_000)
  expect(children).toEqual([{ name: 'frequent', value: 5000, children: [] }])
})

function sorted({ children, ...node }: StackNode): object {
  return { ...node, children: children.toSorted((a, b) => a.name.localeCompare(b.name)).map(sorted) }
}
