import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'

const options = { keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128 }

test('many are found as one by one, whatever the keys, in small and in large tables', async () => {
  for (const filling of [0, 40_000]) {
    const backend = await createHashMapKeyedStateBackend(options, [], {
      readRange: async () => Buffer.alloc(0),
    })
    const table = backend.namespacedState<number>({ kind: 'internal', name: 'numbers' }).table(undefined)
    for (let i = 0; i < filling; i++) table.insert(i % 2 === 0 ? i : `filling-${i}`, i)
    const key = fc.oneof(
      fc.integer({ min: -20, max: 20 }),
      fc.integer({ min: 0, max: 50_000 }).map(i => (i % 2 === 0 ? i : `filling-${i}`)),
      fc.constantFrom(0.5, -0, Number.NaN, 2 ** 31, 2 ** 40, '', '0', '\0s', true),
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y')),
    )
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 16 }), fc.boolean(), (keys, insert) => {
        if (insert) for (const each of keys) if (table.find(each) === undefined) table.insert(each, 1)
        const found: unknown[] = new Array(16).fill('untouched')
        table.findMany(keys, keys.length, found as never)
        expect(found.slice(0, keys.length)).toEqual(keys.map(each => table.find(each)))
        for (const [i, each] of keys.entries()) expect(found[i]).toBe(table.find(each))
        expect(found.slice(keys.length)).toEqual(new Array(16 - keys.length).fill('untouched'))
      }),
    )
  }
})
