import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TimerEntry } from '../api/keyed-state-backend.ts'
import { ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor } from '../api/state-descriptor.ts'
import type { ListState, MapState, ValueState } from '../api/user-states.ts'
import { createHashMapKeyedStateBackend } from '../backends/hashmap/create-hash-map-keyed-state-backend.ts'
import { assignKeyedState } from '../keygroup/assign-operator-state.ts'
import { FileCheckpointStorage } from '../storage/file-checkpoint-storage.ts'
import type { KeyedStateHandle } from './state-handle.ts'

const SAMPLE = fileURLToPath(new URL('testdata/checkpoint-3', import.meta.url))
const OPERATOR = '0123456789abcdef0123456789abcdef' as OperatorId
const MAX_PARALLELISM = 4
const COUNT = new ValueStateDescriptor<{ n: number }>('count')
const LIST = new ListStateDescriptor<number>('list')
const MAP = new MapStateDescriptor<string, number>('map')
const KEYS = 40

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-formats-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const storageIn = (folder: string): FileCheckpointStorage =>
  new FileCheckpointStorage(
    { directory: folder, jobId: 'job', inlineThresholdBytes: 0 },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(7) },
  )

/**
 * Writes the two checkpoints that are kept under testdata, of which the second has changes only. After a change of the
 * format, add a folder for its version with what this writes then, and never change this one.
 */
async function writeSample(): Promise<void> {
  const storage = storageIn(directory)
  const range = { start: 0, end: MAX_PARALLELISM - 1 }
  const options = { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, incremental: true }
  const backend = await createHashMapKeyedStateBackend(options, [], storage)
  const [count, list, map] = [
    backend.state<ValueState<{ n: number }>>(COUNT),
    backend.state<ListState<number>>(LIST),
    backend.state<MapState<string, number>>(MAP),
  ]
  const timers: TimerEntry[] = [{ key: 0, namespace: 'w', timestamp: 1 }]
  backend.registerParticipant('timers', { snapshotEntries: () => timers, restoreEntries: () => {} })
  const complete = async (checkpointId: number, keyed: readonly KeyedStateHandle[]): Promise<void> => {
    const state = { operatorId: OPERATOR, keyed, operator: [] }
    const facts = { operatorId: OPERATOR, parallelism: 1, maxParallelism: MAX_PARALLELISM }
    const operators = [{ ...facts, subtasks: [{ index: 0, state }] }]
    await storage.complete({
      version: 3,
      checkpointId,
      jobId: 'job',
      timestamp: 1_700_000_000_000,
      operators,
    })
    backend.notifyCheckpointComplete?.(checkpointId)
  }
  for (let key = 0; key < KEYS; key++) {
    backend.setCurrentKey(key)
    count.update({ n: key })
    list.addAll([1, 2, 3])
    map.putAll([
      ['a', 1],
      ['b', 2],
    ])
    backend.namespacedState<number>({ kind: 'internal', name: 'window' }).table(60_000).insert(key, key)
  }
  await complete(1, await backend.snapshot(1, storage.streams(1, 'a'), () => Promise.resolve()))
  backend.setCurrentKey(0)
  count.clear()
  list.update([9])
  map.remove('a')
  backend.setCurrentKey(1)
  count.update({ n: -1 })
  map.clear()
  timers.splice(0, 1, { key: 1, namespace: 'w', timestamp: 2 })
  backend.namespacedState<number>({ kind: 'internal', name: 'window' }).drop(60_000)
  await complete(2, await backend.snapshot(2, storage.streams(2, 'a'), () => Promise.resolve()))
}

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of (await readdir(folder)).sort()) {
    for (const file of (await readdir(join(folder, name))).sort()) {
      files[`${name}/${file}`] = (await readFile(join(folder, name, file))).toString('latin1')
    }
  }
  return files
}

test('what is written is the kept sample, byte for byte', async () => {
  await writeSample()
  const written = await contentsOf(join(directory, 'job'))
  expect(Object.keys(written).map(name => name.split('/')[0])).toContain('chk-2')
  const kept = await contentsOf(SAMPLE)
  expect(Object.keys(written)).toEqual(Object.keys(kept))
  for (const [name, content] of Object.entries(written)) expect(content === kept[name], name).toBe(true)
})

test.each([1, 2])('the sample is restored at parallelism %i', async parallelism => {
  await cp(SAMPLE, join(directory, 'moved'), { recursive: true })
  const storage = storageIn(directory)
  const metadata = await storage.readMetadata(join(directory, 'moved', 'chk-2'))
  expect(metadata.version).toBe(3)
  const handles = metadata.operators[0]?.subtasks[0]?.state.keyed ?? []
  expect(handles.map(({ delta, origin }) => [delta, origin])).toEqual([
    [undefined, 1],
    ['removals', 2],
    ['changes', 2],
  ])
  const found: unknown[] = []
  const timers: TimerEntry[] = []
  for (let index = 0; index < parallelism; index++) {
    const keyGroupRange = keyGroupRangeOf(MAX_PARALLELISM, parallelism, index)
    const options = { keyGroupRange, maxParallelism: MAX_PARALLELISM }
    const own = assignKeyedState(handles, keyGroupRange)
    const backend = await createHashMapKeyedStateBackend(options, own, storage)
    backend.registerParticipant('timers', {
      snapshotEntries: () => [],
      restoreEntries: entries => {
        timers.push(...entries)
      },
    })
    expect([...backend.namespacedState({ kind: 'internal', name: 'window' }).namespaces()]).toEqual([])
    for (const key of [...backend.keys(LIST)]) {
      backend.setCurrentKey(key)
      const map = [...backend.state<MapState<string, number>>(MAP).entries()]
      found.push([
        key,
        backend.state<ValueState<unknown>>(COUNT).value(),
        [...backend.state<ListState<number>>(LIST).get()],
        map,
      ])
    }
  }
  const expected = Array.from({ length: KEYS }, (_, key) => {
    if (key === 0) return [0, undefined, [9], [['b', 2]]]
    const map = [
      ['a', 1],
      ['b', 2],
    ]
    return key === 1 ? [1, { n: -1 }, [1, 2, 3], []] : [key, { n: key }, [1, 2, 3], map]
  })
  expect(found.sort((a, b) => (a as [number])[0] - (b as [number])[0])).toEqual(expected)
  expect(timers).toEqual([{ key: 1, namespace: 'w', timestamp: 2 }])
})
