import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { keyGroupOf, keyGroupRangeOf, subtaskOfKeyGroup } from '@flink-ts/serialization'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TimerEntry } from '../api/keyed-state-backend.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type StateDescriptor,
  ValueStateDescriptor,
} from '../api/state-descriptor.ts'
import { StateTtlConfig } from '../api/state-ttl-config.ts'
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from '../api/user-states.ts'
import { createHashMapKeyedStateBackend } from '../backends/hashmap/create-hash-map-keyed-state-backend.ts'
import { createOperatorStateBackend } from '../backends/operator/create-operator-state-backend.ts'
import { assignOperatorState } from '../keygroup/assign-operator-state.ts'
import { FileCheckpointStorage } from '../storage/file-checkpoint-storage.ts'
import { METADATA_VERSION } from './checkpoint-metadata.ts'
import { KEYED_FORMAT_VERSION } from './keyed-format.ts'
import { OPERATOR_FORMAT_VERSION } from './operator-format.ts'
import type { OperatorSubtaskState } from './state-handle.ts'

const sample = (version: number): string =>
  fileURLToPath(new URL(`testdata/checkpoint-${version}/chk-5`, import.meta.url))
const OPERATOR = '0123456789abcdef0123456789abcdef' as OperatorId
const MAX_PARALLELISM = 8
const WINDOWS: StateDescriptor<{ sum: number; names: string[] }> = { kind: 'internal', name: 'windows' }
const COUNTS = new ValueStateDescriptor<bigint>('counts')
const VISITS = new ListStateDescriptor<number>('visits')
const PAGES = new MapStateDescriptor<unknown, { seen: boolean }>('pages', {
  ttl: new StateTtlConfig({ ttl: 1, time: 'event-time' }),
})
const SUM = new ReducingStateDescriptor<number>('sum', (a, b) => a + b)
const MEAN = new AggregatingStateDescriptor<number, { sum: number; n: number }, number>('mean', {
  createAccumulator: () => ({ sum: 0, n: 0 }),
  add: (value, { sum, n }) => ({ sum: sum + value, n: n + 1 }),
  getResult: ({ sum, n }) => sum / n,
})
const RULES = new MapStateDescriptor<string, { max: number }>('rules')
const KEYS = [1, -2.5, 'text', 'Zürich', '', true, 7n, new Date(86_400_000), ['a', 1], { id: 3, kind: 'x' }]

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-formats-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function storageIn(folder: string, inlineThresholdBytes: number): FileCheckpointStorage {
  return new FileCheckpointStorage(
    { directory: folder, jobId: 'job', inlineThresholdBytes },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(7) },
  )
}

/**
 * Writes the checkpoint that is kept under testdata: two subtasks, the second one inline. After a change of a format,
 * add a folder for its version with what this writes then, and never change the older ones.
 */
async function writeSample(folder: string): Promise<string> {
  const subtasks: OperatorSubtaskState[] = []
  for (const index of [0, 1]) {
    const storage = storageIn(folder, index === 0 ? 0 : 100_000)
    const range = keyGroupRangeOf(MAX_PARALLELISM, 2, index)
    const options = { keyGroupRange: range, maxParallelism: MAX_PARALLELISM }
    const all = await createHashMapKeyedStateBackend(options, [], storage)
    const own = KEYS.filter(
      key => subtaskOfKeyGroup(MAX_PARALLELISM, 2, keyGroupOf(key, MAX_PARALLELISM)) === index,
    )
    for (const [i, key] of own.entries()) {
      for (const namespace of [0, 86_400_000, 'side', undefined]) {
        all
          .namespacedState(WINDOWS)
          .table(namespace)
          .insert(key, { sum: i / 2, names: ['ä', '\ud800'] })
      }
      all.setCurrentKey(key)
      all.state<ValueState<bigint>>(COUNTS).update(10n ** 30n)
      all.state<ListState<number>>(VISITS).addAll(Array.from({ length: 300 }, (_, n) => n))
      const pages = all.state<MapState<unknown, { seen: boolean }>>(PAGES)
      pages.put('home', { seen: true })
      pages.put(['shop', 7], { seen: false })
      all.state<ReducingState<number>>(SUM).add(4)
      all.state<AggregatingState<number, number>>(MEAN).add(6)
    }
    all.registerParticipant('event-time', {
      snapshotEntries: () => own.map((key, i) => ({ key, namespace: 'w', timestamp: 1_000_000_000_000 + i })),
      restoreEntries: () => {},
    })
    const lists = await createOperatorStateBackend([], storage)
    lists.listState('splits').update([
      { file: `part-${index}`, offset: 10 },
      { file: 'b', offset: -1 },
    ])
    lists.listState('readers', 'union').add(index)
    lists.broadcastState(RULES).put('limit', { max: 10 })
    const streams = storage.streams(5, `graph_vertex_${index}_0`)
    subtasks.push({
      operatorId: OPERATOR,
      keyed: await all.snapshot(5, streams, () => Promise.resolve()),
      operator: await lists.snapshot(5, streams),
    })
  }
  return storageIn(folder, 0).complete({
    version: 1,
    checkpointId: 5,
    jobId: 'job',
    timestamp: 1_700_000_000_000,
    operators: [
      {
        operatorId: OPERATOR,
        parallelism: 2,
        maxParallelism: MAX_PARALLELISM,
        subtasks: subtasks.map((state, index) => ({ index, state })),
      },
    ],
  })
}

async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort()
  return Object.fromEntries(
    await Promise.all(
      names.map(async name => [name, (await readFile(join(folder, name))).toString('latin1')]),
    ),
  )
}

test('what is written is the kept sample, byte for byte', async () => {
  // Something else than the sample must come with a new version number.
  expect([METADATA_VERSION, KEYED_FORMAT_VERSION, OPERATOR_FORMAT_VERSION]).toEqual([4, 2, 2])
  await writeSample(directory)
  expect(await contents(join(directory, 'job', 'chk-5'))).toEqual(await contents(sample(2)))
})

test.each([
  [1, 1],
  [1, 2],
  [1, 3],
  [2, 1],
  [2, 2],
  [2, 3],
])('the sample of version %i is restored at parallelism %i', async (version, parallelism) => {
  await cp(sample(version), join(directory, 'moved'), { recursive: true })
  const storage = storageIn(directory, 0)
  const metadata = await storage.readMetadata(join(directory, 'moved'))
  expect(metadata).toMatchObject({ version: 1, checkpointId: 5, jobId: 'job', timestamp: 1_700_000_000_000 })
  const seen: unknown[] = []
  const timers: TimerEntry[] = []
  const splits: unknown[] = []
  for (let index = 0; index < parallelism; index++) {
    const state = assignOperatorState(metadata.operators[0], OPERATOR, parallelism, MAX_PARALLELISM, index)
    const keyGroupRange = keyGroupRangeOf(MAX_PARALLELISM, parallelism, index)
    const backend = await createHashMapKeyedStateBackend(
      { keyGroupRange, maxParallelism: MAX_PARALLELISM },
      state.keyed,
      storage,
    )
    const windows = backend.namespacedState(WINDOWS)
    for (const { key } of windows.table(undefined).entries()) {
      seen.push(key)
      for (const namespace of [0, 86_400_000, 'side']) {
        expect(windows.existing(namespace)?.find(key)?.value.names).toEqual(['ä', '\ud800'])
      }
      backend.setCurrentKey(key)
      expect(backend.state<ValueState<bigint>>(COUNTS).value()).toBe(10n ** 30n)
    }
    backend.registerParticipant('event-time', {
      snapshotEntries: () => [],
      restoreEntries: entries => {
        timers.push(...entries)
      },
    })
    const lists = await createOperatorStateBackend(state.operator, storage)
    splits.push(...lists.listState('splits').get())
    expect(lists.listState('readers', 'union').get()).toEqual([0, 1])
    if (version === 1) continue
    expect([...lists.broadcastState(RULES).entries()]).toEqual([['limit', { max: 10 }]])
    // With another time to live than when it was stored, and with fields that were not there yet.
    const pages = backend.state<MapState<unknown, unknown>>(
      new MapStateDescriptor<unknown, unknown>('pages', {
        type: { object: { seen: 'boolean', at: { type: 'number', default: -1 } } },
      }),
    )
    for (const { key } of windows.table(undefined).entries()) {
      backend.setCurrentKey(key)
      expect([...backend.state<ListState<number>>(VISITS).get()]).toEqual(
        Array.from({ length: 300 }, (_, n) => n),
      )
      expect([pages.get('home'), pages.get(['shop', 7])]).toEqual([
        { seen: true, at: -1 },
        { seen: false, at: -1 },
      ])
      expect(backend.state<ReducingState<number>>(SUM).get()).toBe(4)
      expect(backend.state<AggregatingState<number, number>>(MEAN).get()).toBe(6)
    }
  }
  const text = (values: unknown[]): string[] =>
    values.map(v => (typeof v === 'bigint' ? `${v}n` : JSON.stringify(v))).sort()
  expect(text(seen)).toEqual(text([...KEYS]))
  expect(text(timers.map(t => t.key))).toEqual(text([...KEYS]))
  expect(timers.every(t => t.namespace === 'w' && t.timestamp >= 1_000_000_000_000)).toBe(true)
  expect(splits).toEqual([
    { file: 'part-0', offset: 10 },
    { file: 'b', offset: -1 },
    { file: 'part-1', offset: 10 },
    { file: 'b', offset: -1 },
  ])
})
