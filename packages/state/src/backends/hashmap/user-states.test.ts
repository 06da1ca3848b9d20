import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { canonicalKey, keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend } from '../../api/keyed-state-backend.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../api/state-descriptor.ts'
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../../api/user-states.ts'
import { assignKeyedState } from '../../keygroup/assign-operator-state.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { CONFORMING_BACKENDS, closeBackends, TestedBackend } from '../conforming-backends.ts'
import { SEGMENT_LIMIT } from './entry-index.ts'
import { CHUNK_ELEMENTS } from './list-chunk.ts'

const MAX_PARALLELISM = 8
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const storage = new FileCheckpointStorage(
  { directory, jobId: 'job', inlineThresholdBytes: 1 << 16 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const tested = new TestedBackend()
afterEach(closeBackends)
const open = (restored: readonly KeyedStateHandle[] = [], range = ALL): Promise<KeyedStateBackend> =>
  tested.create(
    { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, snapshotSliceMs: 0 },
    restored,
    storage,
  )
const nothing = (): Promise<void> => Promise.resolve()
const take = (
  backend: KeyedStateBackend,
  yieldSlice: () => Promise<void> = nothing,
): Promise<readonly KeyedStateHandle[]> => backend.snapshot(1, storage.streams(1, 'a'), yieldSlice)

interface Item {
  n: number
}

const descriptors = {
  value: new ValueStateDescriptor<Item>('value'),
  list: new ListStateDescriptor<Item>('list'),
  map: new MapStateDescriptor<unknown, Item>('map'),
  reducing: new ReducingStateDescriptor<number>('reducing', (a, b) => a + b),
  aggregating: new AggregatingStateDescriptor<number, Item, number>('aggregating', {
    createAccumulator: () => ({ n: 1000 }),
    add: (value, accumulator) => {
      accumulator.n += value
      return accumulator
    },
    getResult: accumulator => -accumulator.n,
  }),
}

/** All states of one backend; those of windows too. */
class States {
  readonly backend: KeyedStateBackend
  readonly value: ValueState<Item>
  readonly list: ListState<Item>
  readonly map: MapState<unknown, Item>
  readonly reducing: ReducingState<number>
  readonly aggregating: AggregatingState<number, number>

  constructor(backend: KeyedStateBackend) {
    this.backend = backend
    this.value = backend.state(descriptors.value)
    this.list = backend.state(descriptors.list)
    this.map = backend.state(descriptors.map)
    this.reducing = backend.state(descriptors.reducing)
    this.aggregating = backend.state(descriptors.aggregating)
  }
}

/** The same with plain Maps. */
interface Model {
  value?: number
  list: number[]
  map: Map<unknown, number>
  reducing?: number
  aggregating?: number
}

const emptyModel = (): Model => ({ list: [], map: new Map() })

const mapKey = fc.constantFrom<unknown>(0, 1, 'a', '\0', 'more than thirteen', 2n, [1, 'b'], -0, Number.NaN)
const amount = fc.integer({ min: 0, max: 5 })
const step = fc.record({
  key: fc.constantFrom<unknown>(1, 2, 'x', ['y', 3]),
  what: fc.constantFrom(
    'value-update',
    'value-clear',
    'value-in-place',
    'list-add',
    'list-add-all',
    'list-add-itself',
    'list-update',
    'list-clear',
    'list-in-place',
    'map-put',
    'map-put-all',
    'map-remove',
    'map-clear',
    'map-in-place',
    'map-remove-some',
    'reduce',
    'reduce-clear',
    'aggregate',
    'aggregate-clear',
  ),
  mapKey,
  n: amount,
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function apply(states: States, { key, what, mapKey, n }: Step): unknown {
  const { backend, value, list, map, reducing, aggregating } = states
  backend.setCurrentKey(key)
  const items = Array.from({ length: n }, (_, i) => ({ n: i }))
  switch (what) {
    case 'value-update':
      return value.update({ n })
    case 'value-clear':
      return value.clear()
    case 'value-in-place': {
      const item = value.value()
      if (item !== undefined) item.n += n
      return undefined
    }
    case 'list-add':
      return list.add({ n })
    case 'list-add-all':
      // Over the bounds of pieces now and then.
      return list.addAll(Array.from({ length: n * 60 }, (_, i) => ({ n: i })))
    case 'list-add-itself':
      return list.addAll([...list.get()].slice(0, n).map(item => ({ ...item })))
    case 'list-update':
      return list.update(items)
    case 'list-clear':
      return list.clear()
    case 'list-in-place':
      for (const item of list.get()) item.n += n
      return undefined
    case 'map-put':
      return map.put(mapKey, { n })
    case 'map-put-all':
      return map.putAll(items.map(item => [item.n, item]))
    case 'map-remove':
      return map.remove(mapKey)
    case 'map-clear':
      return map.clear()
    case 'map-in-place': {
      for (const item of map.values()) item.n += n
      return undefined
    }
    case 'map-remove-some':
      for (const [k, item] of map.entries()) if (item.n % 2 === n % 2) map.remove(k)
      return undefined
    case 'reduce':
      return reducing.add(n)
    case 'reduce-clear':
      return reducing.clear()
    case 'aggregate':
      return aggregating.add(n)
    case 'aggregate-clear':
      return aggregating.clear()
  }
}

function applyToModel(models: Map<unknown, Model>, { key, what, mapKey, n }: Step): void {
  const id = canonicalKey(key)
  const model = models.get(id) ?? emptyModel()
  models.set(id, model)
  switch (what) {
    case 'value-update':
      model.value = n
      break
    case 'value-clear':
      delete model.value
      break
    case 'value-in-place':
      if (model.value !== undefined) model.value += n
      break
    case 'list-add':
      model.list.push(n)
      break
    case 'list-add-all':
      for (let i = 0; i < n * 60; i++) model.list.push(i)
      break
    case 'list-add-itself':
      model.list.push(...model.list.slice(0, n))
      break
    case 'list-update':
      model.list = Array.from({ length: n }, (_, i) => i)
      break
    case 'list-clear':
      model.list = []
      break
    case 'list-in-place':
      model.list = model.list.map(v => v + n)
      break
    case 'map-put':
      model.map.set(canonicalKey(mapKey), n)
      break
    case 'map-put-all':
      for (let i = 0; i < n; i++) model.map.set(i, i)
      break
    case 'map-remove':
      model.map.delete(canonicalKey(mapKey))
      break
    case 'map-clear':
      model.map.clear()
      break
    case 'map-in-place':
      for (const [k, v] of model.map) model.map.set(k, v + n)
      break
    case 'map-remove-some':
      for (const [k, v] of model.map) if (v % 2 === n % 2) model.map.delete(k)
      break
    case 'reduce':
      model.reducing = (model.reducing ?? 0) + n
      break
    case 'reduce-clear':
      delete model.reducing
      break
    case 'aggregate':
      model.aggregating = (model.aggregating ?? 1000) + n
      break
    case 'aggregate-clear':
      delete model.aggregating
      break
  }
}

const KEYS = [1, 2, 'x', ['y', 3]]

const byText = ([a]: [unknown, unknown], [b]: [unknown, unknown]): number => (String(a) < String(b) ? -1 : 1)

/** What the states have for a key, in the form of a model, and what their other methods say about it. */
function contentOf(states: States, key: unknown): unknown {
  states.backend.setCurrentKey(key)
  const map = [...states.map.entries()].map(([k, item]): [unknown, unknown] => [canonicalKey(k), item.n])
  expect([...states.map.keys()].map(canonicalKey)).toEqual(map.map(([k]) => k))
  expect(states.map.isEmpty()).toBe(map.length === 0)
  for (const [k, item] of states.map.entries())
    expect([states.map.get(k), states.map.contains(k)]).toEqual([item, true])
  return {
    value: states.value.value()?.n,
    list: Array.from(states.list.get(), item => item.n),
    map: map.sort(byText),
    reducing: states.reducing.get(),
    aggregating: states.aggregating.get(),
  }
}

const contentOfModel = (model: Model): unknown => ({
  value: model.value,
  list: model.list,
  map: [...model.map].sort(byText),
  reducing: model.reducing,
  aggregating: model.aggregating === undefined ? undefined : -model.aggregating,
})

const copyOf = (models: Map<unknown, Model>): Map<unknown, Model> => structuredClone(models)

describe.each(CONFORMING_BACKENDS)(
  'list, map, reducing and aggregating state ($name)',
  { timeout: 60_000 },
  backend => {
    beforeEach(context => tested.use(backend, context))
    test('equal plain arrays and Maps, and so do their snapshots, whatever runs between the slices', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 80 }),
          fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 60 }),
          fc.integer({ min: 1, max: 4 }),
          async (before, between, parallelism) => {
            const states = new States(await open())
            const models = new Map<unknown, Model>()
            const run = (steps: readonly Step[] | undefined): void => {
              for (const s of steps ?? []) {
                apply(states, s)
                applyToModel(models, s)
              }
            }
            const expectEqual = (
              actual: States,
              expected: Map<unknown, Model>,
              keys: readonly unknown[],
            ): void => {
              for (const key of keys) {
                const model = expected.get(canonicalKey(key)) ?? emptyModel()
                expect(contentOf(actual, key)).toEqual(contentOfModel(model))
              }
            }
            run(before)
            expectEqual(states, models, KEYS)
            const expected = copyOf(models)
            let slice = 0
            const result = take(states.backend, () => {
              run(between[slice++])
              return Promise.resolve()
            })
            run(between[slice++])
            const handles = await result
            for (const steps of between.slice(slice)) run(steps)
            expectEqual(states, models, KEYS)
            for (let subtask = 0; subtask < parallelism; subtask++) {
              const range = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtask)
              const own = KEYS.filter(key => {
                const group = keyGroupOf(key, MAX_PARALLELISM)
                return group >= range.start && group <= range.end
              })
              const part = new States(await open(assignKeyedState(handles, range), range))
              expectEqual(part, expected, own)
              // What was restored is as good as what was made here: it goes on, and is stored again.
              const owned = new Set(own.map(canonicalKey))
              for (const s of before) if (owned.has(canonicalKey(s.key))) apply(part, s)
              const again = copyOf(expected)
              for (const s of before) applyToModel(again, s)
              expectEqual(new States(await open(await take(part.backend), range)), again, own)
            }
          },
        ),
        { numRuns: Math.ceil(1.5 * tested.runsPercent) },
      )
    })

    test('lists and maps of many elements are saved in pieces: a touch encodes one of them', async () => {
      const backend = await open()
      const states = new States(backend)
      backend.setCurrentKey('big')
      const count = 2 * SEGMENT_LIMIT
      for (let i = 0; i < count; i++) {
        states.list.add({ n: i })
        states.map.put(`key ${i}`, { n: i })
      }
      let touched = 0
      const handles = await take(backend, () => {
        backend.setCurrentKey('big')
        const at = (touched * 7919) % count
        if (touched++ % 50 === 0) states.list.add({ n: -1 })
        const item = states.map.get(`key ${at}`)
        if (item !== undefined) item.n = -1
        if (touched % 3 === 0) states.map.remove(`key ${at}`)
        if (touched === 1000) states.list.clear()
        if (touched === 2000) states.map.clear()
        return Promise.resolve()
      })
      expect(touched).toBeGreaterThan(2000)
      const restored = new States(await open(handles))
      restored.backend.setCurrentKey('big')
      const list = [...restored.list.get()]
      expect(list.length).toBe(count)
      expect(list.every((item, i) => item.n === i)).toBe(true)
      let found = 0
      for (const [key, item] of restored.map.entries()) if (key === `key ${item.n}`) found++
      expect(found).toBe(count)
      expect(list.length / CHUNK_ELEMENTS).toBeGreaterThan(100)
    })

    test('entries may be removed while one goes through a map of any size', async () => {
      for (const size of [10, SEGMENT_LIMIT + 100]) {
        const { backend, map } = new States(await open())
        backend.setCurrentKey('k')
        for (let i = 0; i < size; i++) map.put(i, { n: i })
        let seen = 0
        for (const [key] of map.entries()) {
          seen++
          map.remove(key)
        }
        expect([seen, map.isEmpty(), [...map.entries()]]).toEqual([size, true, []])
      }
    })

    test('hold no undefined: lists refuse it, maps remove the entry', async () => {
      const { backend, list, map } = new States(await open())
      backend.setCurrentKey('k')
      for (const value of [undefined, null]) {
        expect(() => list.add(value as never)).toThrow(
          expect.objectContaining({ code: 'state.invalid-element' }),
        )
        expect(() => list.addAll([{ n: 1 }, value as never])).toThrow(/'list' can't hold/)
      }
      expect([...list.get()]).toEqual([])
      map.put('a', { n: 1 })
      map.put('a', undefined as never)
      expect(map.isEmpty()).toBe(true)
      expect(() => map.put({ deep: { x: 1 } }, { n: 1 })).toThrow(
        expect.objectContaining({ code: 'serialization.invalid-key' }),
      )
      expect(map.isEmpty()).toBe(true)
      expect(await take(backend)).toEqual([])
    })

    test('need a key', async () => {
      const { list, map, reducing, aggregating } = new States(await open())
      const calls = [
        () => list.get(),
        () => list.add({ n: 1 }),
        () => map.get(1),
        () => map.entries(),
        () => map.clear(),
        () => reducing.add(1),
        () => aggregating.get(),
      ]
      for (const call of calls)
        expect(call).toThrow(expect.objectContaining({ code: 'state.no-current-key' }))
    })

    test('the keys of a state may be gone through while it is changed', async () => {
      const { backend, list } = new States(await open())
      for (let i = 0; i < 100; i++) {
        backend.setCurrentKey(i)
        list.add({ n: i })
      }
      let seen = 0
      for (const key of backend.keys(descriptors.list)) {
        backend.setCurrentKey(key)
        list.clear()
        seen++
      }
      expect([seen, [...backend.keys(descriptors.list)]]).toEqual([100, []])
      expect([...backend.keys(descriptors.value)]).toEqual([])
    })
  },
)

describe.each(CONFORMING_BACKENDS)('in namespaces ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test('states of windows are apart, survive a restore, and leave no empty tables', async () => {
    const bind = (backend: KeyedStateBackend) => ({
      value: backend.boundState<ValueState<string>>(new ValueStateDescriptor('v', 'none')),
      list: backend.boundState<ListState<number>>(new ListStateDescriptor('l')),
      map: backend.boundState<MapState<string, number>>(new MapStateDescriptor('m')),
      sum: backend.boundState<ReducingState<number>>(
        new ReducingStateDescriptor<number>('r', { reduce: (a, b) => a + b }),
      ),
    })
    const backend = await open()
    const states = bind(backend)
    const each = (
      bound: ReturnType<typeof bind>,
      of: KeyedStateBackend,
      run: (window: number, n: number) => void,
    ): void => {
      for (const key of ['a', 'b']) {
        for (const window of [0, 60_000]) {
          of.setCurrentKey(key)
          for (const state of Object.values(bound)) state.setNamespace(window)
          run(window, window + key.charCodeAt(0))
        }
      }
    }
    each(states, backend, (_, n) => {
      expect(states.value.state.value()).toBe('none')
      states.value.state.update(`v${n}`)
      states.list.state.addAll([n, n + 1])
      states.map.state.put('k', n)
      states.sum.state.add(n)
      states.sum.state.add(1)
    })
    const restored = await open(await take(backend))
    const again = bind(restored)
    each(again, restored, (_, n) => {
      expect(again.value.state.value()).toBe(`v${n}`)
      expect([...again.list.state.get()]).toEqual([n, n + 1])
      expect([...again.map.state.entries()]).toEqual([['k', n]])
      expect(again.sum.state.get()).toBe(n + 1)
      for (const { state } of Object.values(again)) state.clear()
      expect(again.sum.state.get()).toBeUndefined()
    })
    expect(await take(restored)).toEqual([])
    expect([...restored.namespacedState({ kind: 'reducing', name: 'r' }).namespaces()]).toEqual([])
    expect([...restored.namespacedState({ kind: 'value', name: 'v' }).namespaces()]).toEqual([])
  })
})
