import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CancellationError, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend, TimerEntry } from '../../api/keyed-state-backend.ts'
import type { StateBackend } from '../../api/state-backend.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../api/state-descriptor.ts'
import { StateTtlConfig } from '../../api/state-ttl-config.ts'
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
import { CONFORMING_BACKENDS, closeBackends } from '../conforming-backends.ts'
import { loadStateBackend } from '../load-state-backend.ts'
import { plainStateBackend } from './plain-state-backend.ts'

const MAX_PARALLELISM = 8
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
afterEach(closeBackends)
const storage = new FileCheckpointStorage(
  { directory, jobId: 'job', inlineThresholdBytes: 0 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const open = (
  backend: StateBackend,
  restored: readonly KeyedStateHandle[] = [],
  keyGroupRange = ALL,
): Promise<KeyedStateBackend> =>
  backend.createKeyedBackend(
    { keyGroupRange, maxParallelism: MAX_PARALLELISM, incremental: true, compression: 'zstd' },
    restored,
    storage,
  )
let checkpointId = 0
async function take(backend: KeyedStateBackend): Promise<readonly KeyedStateHandle[]> {
  const id = ++checkpointId
  const handles = await backend.snapshot(id, storage.streams(id, 'a'), () => Promise.resolve())
  backend.notifyCheckpointComplete?.(id)
  return handles
}

const ttl = new StateTtlConfig({ ttl: '1 d' })

/** All kinds of state, and the timers, with the same calls on each backend. */
function statesOf(backend: KeyedStateBackend, withTtl: boolean) {
  const timers: TimerEntry[] = []
  backend.registerParticipant('timers', {
    snapshotEntries: () => timers,
    restoreEntries: entries => timers.push(...entries),
  })
  return {
    timers,
    value: backend.state<ValueState<string>>(
      new ValueStateDescriptor<string>('value', 'none', withTtl ? { ttl } : {}),
    ),
    list: backend.state<ListState<number>>(new ListStateDescriptor<number>('list')),
    map: backend.state<MapState<string, number>>(new MapStateDescriptor<string, number>('map')),
    sum: backend.state<ReducingState<number>>(
      new ReducingStateDescriptor<number>('sum', { reduce: (a, b) => a + b }),
    ),
    mean: backend.state<AggregatingState<number, number>>(
      new AggregatingStateDescriptor<number, number[], number>('mean', {
        createAccumulator: () => [0, 0],
        add: (value, [sum = 0, n = 0]) => [sum + value, n + 1],
        getResult: ([sum = 0, n = 0]) => sum / n,
      }),
    ),
    window: backend.boundState<ValueState<number>>(new ValueStateDescriptor<number>('window')),
  }
}
type States = ReturnType<typeof statesOf>

const step = fc.record({
  key: fc.constantFrom<unknown>(1, 'a', ['b', 2]),
  what: fc.constantFrom(
    'value',
    'clear',
    'list',
    'list-update',
    'map',
    'map-remove',
    'sum',
    'mean',
    'window',
    'timer',
  ),
  n: fc.integer({ min: 1, max: 300 }),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function apply(backend: KeyedStateBackend, states: States, { key, what, n }: Step): void {
  backend.setCurrentKey(key)
  const { value, list, map, sum, mean, window, timers } = states
  if (what === 'value') value.update(`v${n}`)
  else if (what === 'clear') for (const state of [value, list, map, sum, mean]) state.clear()
  else if (what === 'list') list.addAll(Array.from({ length: n }, (_, i) => i))
  else if (what === 'list-update') list.update([n])
  else if (what === 'map') map.put(`k${n % 7}`, n)
  else if (what === 'map-remove') map.remove(`k${n % 7}`)
  else if (what === 'sum') sum.add(n)
  else if (what === 'mean') mean.add(n)
  else if (what === 'timer') timers.push({ key, namespace: n % 2, timestamp: n })
  else {
    window.setNamespace(n % 3)
    window.state.update(n)
  }
}

function contentOf(backend: KeyedStateBackend, states: States): unknown {
  const { value, list, map, sum, mean, window, timers } = states
  const byKey = [1, 'a', ['b', 2]].map(key => {
    backend.setCurrentKey(key)
    const windows = [0, 1, 2].map(namespace => {
      window.setNamespace(namespace)
      return window.state.value()
    })
    return {
      values: [
        value.value(),
        [...list.get()],
        [...map.entries()].sort(),
        map.isEmpty(),
        sum.get(),
        mean.get(),
      ],
      windows,
    }
  })
  const sorted = timers.map(timer => JSON.stringify(timer)).sort()
  return { byKey, timers: sorted }
}

describe('the plain backend', () => {
  test.for(CONFORMING_BACKENDS)(
    'does what the $name backend does, and reads what that wrote, and the other way round',
    {
      timeout: 60_000,
    },
    ({ skipped, name, runsPercent, create }, { skip }) => {
      if (skipped) skip()
      const other: StateBackend = { name, createKeyedBackend: create }
      return fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(step, { maxLength: 20 }), { minLength: 1, maxLength: 5 }),
          fc.boolean(),
          async (rounds, withTtl) => {
            // Times to live are kept by the one and dropped by the other.
            const heap = await open(other)
            const heapStates = statesOf(heap, withTtl)
            const plain = await open(plainStateBackend)
            const plainStates = statesOf(plain, false)
            for (const steps of rounds) {
              for (const s of steps) {
                apply(heap, heapStates, s)
                apply(plain, plainStates, s)
              }
              const expected = contentOf(plain, plainStates)
              expect(contentOf(heap, heapStates)).toEqual(expected)
              const ofHeap = await take(heap)
              const ofPlain = await take(plain)
              for (const [backend, handles] of [
                [plainStateBackend, ofHeap],
                [plainStateBackend, ofPlain],
                [other, ofPlain],
              ] as const) {
                const restored = await open(backend, handles)
                expect(contentOf(restored, statesOf(restored, false))).toEqual(expected)
              }
            }
          },
        ),
        { numRuns: Math.ceil(runsPercent * 0.4) },
      )
    },
  )

  test('keeps no table of a namespace that is empty again', async () => {
    const backend = await open(plainStateBackend)
    const { state, setNamespace } = backend.boundState<MapState<string, number>>(
      new MapStateDescriptor<string, number>('of-windows'),
    )
    const tables = backend.namespacedState({ kind: 'map', name: 'of-windows' })
    backend.setCurrentKey('k')
    setNamespace('w')
    state.put('a', 1)
    expect(tables.existing('w')?.size).toBe(1)
    state.clear()
    expect(tables.existing('w')).toBeUndefined()
  })

  test('reads only its own key groups, can be cancelled, and says what it does not offer', async () => {
    const backend = await open(plainStateBackend)
    const count = backend.state<ValueState<number>>(new ValueStateDescriptor<number>('count'))
    expect(() => count.value()).toThrow(expect.objectContaining({ code: 'state.no-current-key' }))
    for (let i = 0; i < 600; i++) {
      backend.setCurrentKey(i)
      count.update(i)
    }
    const handles = await take(backend)
    let found = 0
    for (const subtask of [0, 1, 2]) {
      const range = keyGroupRangeOf(MAX_PARALLELISM, 3, subtask)
      const part = await open(plainStateBackend, assignKeyedState(handles, range), range)
      found += [...part.keys(new ValueStateDescriptor('count'))].length
    }
    expect(found).toBe(600)
    const cancelled = backend.snapshot(1000, storage.streams(1000, 'a'), () => {
      backend.cancelSnapshot(1000)
      return Promise.resolve()
    })
    await expect(cancelled).rejects.toBeInstanceOf(CancellationError)
    expect(() => backend.state(new ValueStateDescriptor('x', 0, { ttl }))).toThrow(
      expect.objectContaining({ code: 'state.time-to-live-unsupported' }),
    )
    expect(() => backend.state(new ListStateDescriptor('count'))).toThrow(
      expect.objectContaining({ code: 'state.kind-mismatch' }),
    )
    await expect(
      plainStateBackend.createKeyedBackend({ keyGroupRange: ALL, maxParallelism: 16 }, handles, storage),
    ).rejects.toMatchObject({ code: 'state.max-parallelism-changed' })
  })
})

describe('names of backends', () => {
  test("Flink's names mean the heap; plain is the example", async () => {
    for (const name of ['hashmap', 'jobmanager', 'filesystem'])
      expect((await loadStateBackend(name)).name).toBe('hashmap')
    expect((await loadStateBackend('plain')).name).toBe('plain')
  })

  test('any other is a module', async () => {
    const file = join(directory, 'own-backend.mjs')
    await writeFile(file, "export default { name: 'own', createKeyedBackend: async () => ({}) }")
    expect((await loadStateBackend(file)).name).toBe('own')
    expect((await loadStateBackend(pathToFileURL(file).href)).name).toBe('own')
    const wrong = join(directory, 'wrong.mjs')
    await writeFile(wrong, 'export default 5')
    const refused = expect.objectContaining({ code: 'state.backend-not-loaded' })
    await expect(loadStateBackend(wrong)).rejects.toEqual(refused)
    await expect(loadStateBackend('no-such-package')).rejects.toEqual(refused)
    expect((await loadStateBackend('rocksdb')).name).toBe('rocksdb')
    const flinkName = 'org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory'
    expect((await loadStateBackend(flinkName)).name).toBe('rocksdb')
  })
})
