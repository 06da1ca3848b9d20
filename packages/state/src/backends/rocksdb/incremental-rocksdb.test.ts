import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend, TimerEntry } from '../../api/keyed-state-backend.ts'
import type { StateBackend } from '../../api/state-backend.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  type StateDescriptor,
  ValueStateDescriptor,
} from '../../api/state-descriptor.ts'
import type { ListState, MapState, ValueState } from '../../api/user-states.ts'
import { describeSnapshot } from '../../inspection/describe-snapshot.ts'
import { readKeyedEntries } from '../../inspection/read-entries.ts'
import { assignKeyedState } from '../../keygroup/assign-operator-state.ts'
import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { hashMapStateBackend } from '../hashmap/hash-map-state-backend.ts'
import { plainStateBackend } from '../plain/plain-state-backend.ts'
import { rocksDbStateBackend } from './rocksdb-state-backend.ts'

const MAX_PARALLELISM = 8
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const VALUE = new ValueStateDescriptor<number>('value')
const LIST = new ListStateDescriptor<number>('list')
const MAP = new MapStateDescriptor<number, string>('map')
const WINDOWS: StateDescriptor<number> = { kind: 'internal', name: 'windows' }
// Files that are never synced to a disk.
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const storage = new FileCheckpointStorage(
  { directory, jobId: 'job', inlineThresholdBytes: 300 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const noPause = (): Promise<void> => Promise.resolve()

const subjects: Subject[] = []
afterEach(() => {
  for (const { backend } of subjects.splice(0)) backend.close?.()
})

/** A backend with some states and timers. */
class Subject {
  readonly backend: KeyedStateBackend
  readonly timers: TimerEntry[] = []
  readonly value: ValueState<number>
  readonly list: ListState<number>
  readonly map: MapState<number, string>

  constructor(backend: KeyedStateBackend) {
    this.backend = backend
    backend.registerParticipant('timers', {
      snapshotEntries: () => this.timers,
      restoreEntries: entries => this.timers.push(...entries),
    })
    this.value = backend.state(VALUE)
    this.list = backend.state(LIST)
    this.map = backend.state(MAP)
  }

  static async open(
    restored: readonly KeyedStateHandle[] = [],
    range = ALL,
    { createKeyedBackend }: StateBackend = rocksDbStateBackend,
  ): Promise<Subject> {
    const options = { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, incremental: true }
    const subject = new Subject(
      await createKeyedBackend(
        { ...options, snapshotSliceMs: 0, localDirectory: directory },
        restored,
        storage,
      ),
    )
    subjects.push(subject)
    return subject
  }

  apply({ what, key, n }: Step): void {
    this.backend.setCurrentKey(key)
    const table = this.backend.namespacedState<number>(WINDOWS).table(n)
    if (what === 'value') this.value.update(n)
    else if (what === 'clear') this.value.clear()
    else if (what === 'list') this.list.add(n)
    else if (what === 'list-clear') this.list.clear()
    else if (what === 'map') this.map.put(n, `${n}`)
    else if (what === 'map-remove') this.map.remove(n)
    else if (what === 'timer') this.timers.push({ key, namespace: n, timestamp: n })
    else if (what === 'fire') this.timers.shift()
    else if (what === 'drop') this.backend.namespacedState(WINDOWS).drop(n)
    else if (table.find(key) === undefined) table.insert(key, n)
  }

  content(): string[] {
    const lines = this.timers.map(({ key, timestamp }) => `timer ${String(key)} ${timestamp}`)
    for (const key of this.backend.keys(VALUE)) {
      this.backend.setCurrentKey(key)
      lines.push(`value ${String(key)} ${String(this.value.value())}`)
    }
    for (const key of this.backend.keys(LIST)) {
      this.backend.setCurrentKey(key)
      lines.push(`list ${String(key)} ${[...this.list.get()].join()}`)
    }
    for (const key of this.backend.keys(MAP)) {
      this.backend.setCurrentKey(key)
      for (const [k, v] of this.map.entries()) lines.push(`map ${String(key)} ${k} ${v}`)
    }
    const windows = this.backend.namespacedState<number>(WINDOWS)
    for (const namespace of windows.namespaces()) {
      const table = windows.existing(namespace)
      const entries = [...(table?.entries() ?? [])]
      expect(table?.size).toBe(entries.length)
      for (const { key, value } of entries)
        lines.push(`window ${String(namespace)} ${String(key)} ${String(value)}`)
    }
    return lines.sort()
  }
}

const WHAT = ['value', 'clear', 'list', 'list-clear', 'map', 'map-remove', 'timer', 'fire', 'window', 'drop']
const step = fc.record({
  what: fc.constantFrom(...WHAT),
  key: fc.constantFrom<unknown>(1, 2, 3, 'a', 'b', ['c', 1]),
  n: fc.integer({ min: 1, max: 4 }),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
const round = fc.record({
  steps: fc.array(step, { maxLength: 20 }),
  during: fc.array(step, { maxLength: 5 }),
  outcome: fc.constantFrom('complete', 'complete', 'complete', 'abort', 'cancel', 'late', 'savepoint'),
})

const sizeOf = (handles: readonly KeyedStateHandle[]): number =>
  handles.reduce((sum, { location }) => sum + locationSizeBytes(location), 0)
const operatorOf = (keyed: readonly KeyedStateHandle[]) => ({
  ...{ operatorId: 'o' as OperatorId, name: 'o', parallelism: 1, maxParallelism: MAX_PARALLELISM },
  subtasks: [{ index: 0, state: { operatorId: 'o' as OperatorId, keyed, operator: [] } }],
})

describe.skipIf(rocksDbProblem() !== undefined)(
  'incremental snapshots of RocksDB (need the addon)',
  { timeout: 120_000 },
  () => {
    test('give the state of their call to any backend at any parallelism; what they need is kept', async () => {
      let shared = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(round, { minLength: 2, maxLength: 6 }),
          fc.integer({ min: 1, max: 3 }),
          fc.constantFrom(rocksDbStateBackend, rocksDbStateBackend, hashMapStateBackend, plainStateBackend),
          async (rounds, parallelism, backend) => {
            await storage.discardJob()
            const subject = await Subject.open()
            const late: number[] = []
            // What the coordinator keeps: the folders that its latest completed checkpoint refers to.
            let kept: ReadonlySet<number> = new Set()
            for (const [index, { steps, during, outcome }] of rounds.entries()) {
              const id = index + 1
              for (const s of steps) subject.apply(s)
              const expected = subject.content()
              const streams = { ...storage.streams(id, 'a'), selfContained: outcome === 'savepoint' }
              const running = subject.backend.snapshot(id, streams, noPause)
              for (const s of during) subject.apply(s)
              if (outcome === 'cancel') subject.backend.cancelSnapshot(id)
              const handles = await running.catch((error: unknown) => {
                if (outcome !== 'cancel') throw error
                return undefined
              })
              if (handles === undefined) continue
              const origins = new Set(handles.flatMap(({ origin }) => origin ?? []))
              if (outcome === 'savepoint') expect([...origins]).toEqual([])
              if ([...origins].some(origin => origin !== id)) shared++
              if (outcome === 'complete' || outcome === 'late') {
                for (const before of kept) if (!origins.has(before)) await storage.discard(before)
                kept = new Set([...origins, id])
              } else if (outcome === 'abort') await storage.discard(id)
              if (outcome === 'complete') {
                for (const each of late.splice(0)) subject.backend.notifyCheckpointComplete?.(each)
                subject.backend.notifyCheckpointComplete?.(id)
              } else if (outcome === 'late') late.push(id)
              if (outcome === 'abort') continue

              const restored: string[] = []
              for (let subtask = 0; subtask < parallelism; subtask++) {
                const range = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtask)
                const part = await Subject.open(assignKeyedState(handles, range), range, backend)
                restored.push(...part.content())
              }
              expect(restored.sort()).toEqual(expected)
            }
          },
        ),
        { numRuns: 8 },
      )
      expect(shared).toBeGreaterThan(3)
    })

    test('go on after a restore, and write little when little has changed', async () => {
      const first = await Subject.open()
      for (let i = 0; i < 5000; i++) {
        first.backend.setCurrentKey(i)
        first.value.update(i)
      }
      const one = await first.backend.snapshot(1, storage.streams(1, 'a'), noPause)
      first.backend.notifyCheckpointComplete?.(1)
      for (let i = 0; i < 20; i++) first.apply({ what: 'map', key: i, n: 1 })
      const two = await first.backend.snapshot(2, storage.streams(2, 'a'), noPause)
      const written = sizeOf(two.filter(({ origin }) => origin === 2))
      expect(written).toBeLessThan(sizeOf(one) / 4)
      const second = await Subject.open(two)
      expect(second.content()).toEqual(first.content())
      for (let i = 0; i < 20; i++) second.apply({ what: 'clear', key: i, n: 1 })
      const three = await second.backend.snapshot(3, storage.streams(3, 'b'), noPause)
      expect(new Set(three.map(({ origin }) => origin))).toEqual(new Set([3]))
      second.backend.notifyCheckpointComplete?.(3)
      const four = await second.backend.snapshot(4, storage.streams(4, 'b'), noPause)
      expect((await Subject.open(four)).content()).toEqual(second.content())
      // Nothing of snapshots stays on the local disk.
      const stores = readdirSync(directory).filter(name => name.startsWith('rocksdb-'))
      expect(stores.filter(name => name.startsWith('rocksdb-stored'))).toEqual([])
      for (const store of stores) {
        expect(readdirSync(join(directory, store)).filter(name => name.startsWith('checkpoint'))).toEqual([])
      }
    })

    test('are read by tools, and refused when they are damaged', async () => {
      const subject = await Subject.open()
      for (const what of WHAT) subject.apply({ what, key: 'a', n: 1 })
      for (const what of ['value', 'list', 'map', 'window']) subject.apply({ what, key: 'b', n: 2 })
      for (let i = 0; i < 200; i++) subject.apply({ what: 'value', key: i, n: 1 })
      const keyed = await subject.backend.snapshot(1, storage.streams(1, 'a'), noPause)
      const entries: unknown[] = []
      for await (const { state, key, value } of readKeyedEntries(operatorOf(keyed), storage, { key: 'b' }))
        entries.push([state, key, value])
      expect(entries).toEqual(
        expect.arrayContaining([
          ['value', 'b', 2],
          ['list', 'b', [2]],
          ['map', 'b', '2'],
          ['windows', 'b', 2],
        ]),
      )
      const facts = { version: 1, checkpointId: 1, jobId: 'job', timestamp: 0 }
      const states = await describeSnapshot({ ...facts, operators: [operatorOf(keyed)] }, storage)
      expect(states.map(({ name, type }) => [name, type])).toEqual(
        expect.arrayContaining([
          ['value', 'number'],
          ['map', 'string'],
        ]),
      )
      await expect(Subject.open(keyed.slice(1))).rejects.toMatchObject({ code: 'state.corrupt-snapshot' })
      const file = keyed.find(({ storeFile }) => storeFile?.name.endsWith('.sst') === true)
      expect(file?.location.type).toBe('file')
      const path = fileURLToPath(String(file?.location.type === 'file' ? file.location.path : ''))
      const content = await readFile(path)
      content[content.length >> 1] = (content[content.length >> 1] as number) ^ 1
      writeFileSync(path, content)
      await expect(Subject.open(keyed)).rejects.toThrow(/checksum/)
      await expect(Subject.open(keyed, ALL, hashMapStateBackend)).rejects.toThrow(/checksum/)
      const outside = keyed.map(handle =>
        handle === file ? { ...handle, storeFile: { name: '../x', crc: 0 } } : handle,
      )
      await expect(Subject.open(outside)).rejects.toThrow(/none of RocksDB/)
      expect(existsSync(join(directory, 'x'))).toBe(false)
    })
  },
)
