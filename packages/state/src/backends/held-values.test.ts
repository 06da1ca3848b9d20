import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend, StateEntry } from '../api/keyed-state-backend.ts'
import { MapStateDescriptor, ValueStateDescriptor } from '../api/state-descriptor.ts'
import { CONFORMING_BACKENDS, closeBackends, TestedBackend } from './conforming-backends.ts'

const tested = new TestedBackend()
const open = (): Promise<KeyedStateBackend> =>
  tested.create({ keyGroupRange: { start: 0, end: 15 }, maxParallelism: 16 }, [], {
    readRange: () => Promise.reject(new Error('nothing is restored')),
  })

afterEach(closeBackends)

describe.each(CONFORMING_BACKENDS)('what a record holds on to, with $name', backend => {
  beforeEach(context => tested.use(backend, context))

  test('is changed in place while it goes through a map', async () => {
    const keyed = await open()
    keyed.setCurrentKey('k')
    const total = keyed.state<{ value(): { sum: number } | undefined; update(v: object): void }>(
      new ValueStateDescriptor<{ sum: number }>('total'),
    )
    const items = keyed.state<{ put(k: number, v: number): void; entries(): Iterable<[number, number]> }>(
      new MapStateDescriptor<number, number>('items'),
    )
    total.update({ sum: 0 })
    for (let i = 0; i < 100; i++) items.put(i, 1)
    keyed.setCurrentKey('k')
    const held = total.value() as { sum: number }
    for (const [, one] of items.entries()) held.sum += one
    for (let i = 0; i < 50; i++) keyed.setCurrentKey(`other ${i}`)
    keyed.setCurrentKey('k')
    expect(total.value()).toEqual({ sum: 100 })
  })

  test('are the entries of a group, however many there are', async () => {
    const keyed = await open()
    const table = keyed.namespacedState<{ n: number }>({ kind: 'aggregating', name: 'windows' }).table(1)
    const keys = Array.from({ length: 500 }, (_, i) => `key ${i % 400}`)
    for (const key of new Set(keys)) table.insert(key, { n: 0 })
    const entries: (StateEntry<{ n: number }> | undefined)[] = []
    for (let round = 0; round < 3; round++) {
      table.findMany(keys, keys.length, entries)
      for (const entry of entries) {
        if (entry === undefined) throw new Error('not found')
        const { value } = entry
        value.n++
        entry.value = value
      }
    }
    const counts = new Map([...table.entries()].map(({ key, value }) => [key, value.n]))
    expect(counts).toEqual(new Map([...new Set(keys)].map((key, i) => [key, i < 100 ? 6 : 3])))
  })

  test('is no map any more that it clears while it goes through it', async () => {
    const keyed = await open()
    keyed.setCurrentKey('k')
    const map = keyed.state<Map<number, number> & { put(k: number, v: number): void; isEmpty(): boolean }>(
      new MapStateDescriptor<number, number>('map'),
    )
    for (let i = 0; i < 200; i++) map.put(i, i)
    keyed.setCurrentKey('k')
    let seen = 0
    for (const _ of map.entries()) if (++seen === 3) map.clear()
    keyed.setCurrentKey('k')
    expect([map.isEmpty(), map.get(7), [...map.keys()]]).toEqual([true, undefined, []])
  })
})
