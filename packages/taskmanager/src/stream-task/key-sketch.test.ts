import { keyGroupOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeySketch } from './key-sketch.ts'

const identity = (key: never): unknown => key

it('few keys are counted exactly, by key and by key group', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 4, true)), keys => {
      const sketch = new KeySketch({ maxParallelism: 16 })
      for (const key of keys) sketch.add(key, identity)
      const counts = Map.groupBy(keys, key => key)
      const most = sketch.most(10)
      expect(most.map(({ count }) => count).sort()).toEqual([...counts.values()].map(of => of.length).sort())
      const groups = Map.groupBy(keys, key => keyGroupOf(key, 16))
      expect(new Map(sketch.groups())).toEqual(new Map([...groups].map(([group, of]) => [group, of.length])))
    }),
  )
})

it('keys that come often are found among very many, in bounded memory', () => {
  const sketch = new KeySketch({ maxParallelism: 128 })
  const records = 15_000
  for (let i = 0; i < records; i++) sketch.add(i % 10 === 0 ? 'hot' : i, identity)
  const [first] = sketch.most(1)
  expect(first?.key).toBe('hot')
  expect(first?.count).toBeGreaterThanOrEqual(records / 10)
  expect(sketch.most(Number.POSITIVE_INFINITY).length).toBeLessThanOrEqual(500)
})

it('of very many records, parts are counted for the whole', () => {
  const sketch = new KeySketch({ maxParallelism: 128 })
  let looked = 0
  for (let i = 0; i < 200_000; i++) {
    sketch.add(i % 2, key => {
      looked++
      return key
    })
  }
  expect(looked).toBeLessThan(100_000)
  const total = sketch.groups().reduce((sum, [, count]) => sum + count, 0)
  expect(total).toBeGreaterThan(180_000)
  expect(total).toBeLessThan(220_000)
})
