import { mkdtempSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import { afterAll, expect, test } from 'vitest'
import type { KeyedStateBackend, TimerEntry } from '../../api/keyed-state-backend.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  type StateDescriptor,
  ValueStateDescriptor,
} from '../../api/state-descriptor.ts'
import type { ListState, MapState, ValueState } from '../../api/user-states.ts'
import { assignKeyedState } from '../../keygroup/assign-operator-state.ts'
import { METADATA_VERSION } from '../../snapshot/checkpoint-metadata.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { createRocksDbKeyedStateBackend } from './rocksdb-state-backend.ts'

const SAMPLE = fileURLToPath(new URL('../../snapshot/testdata/checkpoint-4', import.meta.url))
const OPERATOR = 'o' as OperatorId
const MAX_PARALLELISM = 8
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const COUNT = new ValueStateDescriptor<{ n: number }>('count')
const LIST = new ListStateDescriptor<number>('list')
const MAP = new MapStateDescriptor<string, number>('map')
const WINDOW: StateDescriptor<number> = { kind: 'internal', name: 'window' }
const KEYS: readonly unknown[] = [0, 1, 'ä', ['b', 2]]
const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))

const storageIn = (folder: string): FileCheckpointStorage =>
  new FileCheckpointStorage(
    { directory: folder, jobId: 'job', inlineThresholdBytes: 0 },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(7) },
  )
const optionsFor = (keyGroupRange: { start: number; end: number }) => ({
  ...{ keyGroupRange, maxParallelism: MAX_PARALLELISM, incremental: true, localDirectory: directory },
})

/**
 * Writes the two checkpoints that are kept under testdata, of which the second refers to files of the first. After a
 * change of the format, add a folder for its version with what this writes then, and never change this one. RocksDB notes
 * times in its files, so that they are never the same.
 */
async function writeSample(): Promise<void> {
  const storage = storageIn(directory)
  const backend = await createRocksDbKeyedStateBackend(optionsFor(ALL), [], storage)
  const timers: TimerEntry[] = [{ key: 0, namespace: 'w', timestamp: 1 }]
  backend.registerParticipant('timers', { snapshotEntries: () => timers, restoreEntries: () => {} })
  const complete = async (checkpointId: number): Promise<void> => {
    const keyed = await backend.snapshot(checkpointId, storage.streams(checkpointId, 'a'), () =>
      Promise.resolve(),
    )
    const state = { operatorId: OPERATOR, keyed, operator: [] }
    const facts = { operatorId: OPERATOR, parallelism: 1, maxParallelism: MAX_PARALLELISM }
    const operators = [{ ...facts, subtasks: [{ index: 0, state }] }]
    const job = { jobId: 'job', timestamp: 1_700_000_000_000 }
    await storage.complete({ version: METADATA_VERSION, checkpointId, ...job, operators })
    backend.notifyCheckpointComplete(checkpointId)
  }
  for (const key of KEYS) {
    backend.setCurrentKey(key)
    backend.state<ValueState<unknown>>(COUNT).update({ n: 7 })
    backend.state<ListState<number>>(LIST).addAll([1, 2, 3])
    backend.state<MapState<string, number>>(MAP).put('a', 1)
    backend.namespacedState<number>(WINDOW).table(60_000).insert(key, 5)
  }
  await complete(1)
  backend.setCurrentKey(0)
  backend.state<ValueState<unknown>>(COUNT).clear()
  backend.state<ListState<number>>(LIST).add(4)
  timers.splice(0, 1, { key: 1, namespace: 'w', timestamp: 2 })
  await complete(2)
  backend.close()
}

function contentOf(backend: KeyedStateBackend): unknown[] {
  const found: unknown[] = []
  const windows = backend.namespacedState<number>(WINDOW)
  for (const key of backend.keys(LIST)) {
    backend.setCurrentKey(key)
    const value = backend.state<ValueState<unknown>>(COUNT).value()
    const list = [...backend.state<ListState<number>>(LIST).get()]
    const map = [...backend.state<MapState<string, number>>(MAP).entries()]
    found.push([key, value, list, map, windows.existing(60_000)?.find(key)?.value])
  }
  backend.registerParticipant('timers', {
    snapshotEntries: () => [],
    restoreEntries: entries => {
      found.push(...entries)
    },
  })
  return found
}

const byText = (items: unknown[]): unknown[] =>
  items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

test.skipIf(rocksDbProblem() !== undefined).each(['kept', 'written'])(
  'the %s sample is restored at any parallelism (needs the addon)',
  async which => {
    if (which === 'written') await writeSample()
    else await cp(SAMPLE, join(directory, 'kept'), { recursive: true })
    const storage = storageIn(directory)
    const folder = join(directory, which === 'kept' ? 'kept' : 'job')
    const metadata = await storage.readMetadata(join(folder, 'chk-2'))
    expect(metadata.version).toBe(4)
    const handles: readonly KeyedStateHandle[] = metadata.operators[0]?.subtasks[0]?.state.keyed ?? []
    expect(new Set(handles.map(({ origin }) => origin))).toEqual(new Set([1, 2]))
    for (const parallelism of [1, 2]) {
      const found: unknown[] = []
      for (let index = 0; index < parallelism; index++) {
        const range = keyGroupRangeOf(MAX_PARALLELISM, parallelism, index)
        const own = assignKeyedState(handles, range)
        const backend = await createRocksDbKeyedStateBackend(optionsFor(range), own, storage)
        found.push(...contentOf(backend))
        backend.close()
      }
      expect(byText(found)).toEqual(
        byText([
          ...KEYS.map(key => [
            key,
            key === 0 ? undefined : { n: 7 },
            key === 0 ? [1, 2, 3, 4] : [1, 2, 3],
            [['a', 1]],
            5,
          ]),
          { key: 1, namespace: 'w', timestamp: 2 },
        ]),
      )
    }
  },
)
