import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { canonicalKey, keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { KeyedStateBackend, TimerEntry } from '../../api/keyed-state-backend.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  type StateDescriptor,
  ValueStateDescriptor,
} from '../../api/state-descriptor.ts'
import type { ListState, MapState, ValueState } from '../../api/user-states.ts'
import { readKeyedEntries } from '../../inspection/read-entries.ts'
import { assignKeyedState } from '../../keygroup/assign-operator-state.ts'
import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'

const MAX_PARALLELISM = 8
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const WINDOWS: StateDescriptor<{ n: number }> = { kind: 'internal', name: 'windows' }
const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const storage = new FileCheckpointStorage(
  { directory, jobId: 'job', inlineThresholdBytes: 0 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const open = (restored: readonly KeyedStateHandle[] = [], range = ALL): Promise<KeyedStateBackend> =>
  createHashMapKeyedStateBackend(
    { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, snapshotSliceMs: 0, incremental: true },
    restored,
    storage,
  )

class Timers {
  list: TimerEntry[] = []
  snapshotEntries = (): Iterable<TimerEntry> => this.list
  restoreEntries = (entries: Iterable<TimerEntry>): void => {
    this.list.push(...entries)
  }
}

/** A backend with some states and the plain data that they should equal. */
class Subject {
  readonly backend: KeyedStateBackend
  readonly timers = new Timers()
  readonly value: ValueState<{ n: number }>
  readonly list: ListState<number>
  readonly map: MapState<number, { n: number }>

  constructor(backend: KeyedStateBackend) {
    this.backend = backend
    backend.registerParticipant('timers', this.timers)
    this.value = backend.state(new ValueStateDescriptor<{ n: number }>('value'))
    this.list = backend.state(new ListStateDescriptor<number>('list'))
    this.map = backend.state(new MapStateDescriptor<number, { n: number }>('map'))
  }

  apply({ what, key, n }: Step): void {
    this.backend.setCurrentKey(key)
    const windows = this.backend.namespacedState(WINDOWS)
    switch (what) {
      case 'value-change': {
        const value = this.value.value() ?? { n: 0 }
        value.n++
        this.value.update(value)
        break
      }
      case 'value-clear':
        this.value.clear()
        break
      case 'list-add':
        this.list.addAll(Array.from({ length: n * 40 }, (_, i) => i))
        break
      case 'list-update':
        this.list.update(Array.from({ length: n }, (_, i) => i))
        break
      case 'list-clear':
        this.list.clear()
        break
      case 'map-put':
        this.map.put(n, { n })
        break
      case 'map-change':
        for (const item of this.map.values()) item.n += n
        break
      case 'map-remove':
        this.map.remove(n)
        break
      case 'map-clear':
        this.map.clear()
        break
      case 'window-add': {
        const table = windows.table(n)
        const entry = table.find(key) ?? table.insert(key, { n: 0 })
        entry.value.n++
        break
      }
      case 'window-fill': {
        const table = windows.table(n)
        for (let i = 0; i < 80; i++) if (table.find(`k${i}`) === undefined) table.insert(`k${i}`, { n: i })
        break
      }
      case 'window-drop':
        windows.drop(n)
        break
      case 'timer-add':
        this.timers.list.push({ key, namespace: n, timestamp: n * 1000 })
        break
      case 'timer-fire':
        this.timers.list.shift()
        break
    }
  }

  /** Everything, as text. */
  content(): string[] {
    const lines: string[] = []
    const shown = (key: unknown): string => String(canonicalKey(key))
    for (const key of this.backend.keys(new ValueStateDescriptor('value'))) {
      this.backend.setCurrentKey(key)
      lines.push(`value ${shown(key)} ${JSON.stringify(this.value.value())}`)
    }
    for (const key of this.backend.keys(new ListStateDescriptor('list'))) {
      this.backend.setCurrentKey(key)
      lines.push(`list ${shown(key)} ${[...this.list.get()].join()}`)
    }
    for (const key of this.backend.keys(new MapStateDescriptor('map'))) {
      this.backend.setCurrentKey(key)
      for (const [k, item] of this.map.entries()) lines.push(`map ${shown(key)} ${k} ${item.n}`)
    }
    const windows = this.backend.namespacedState(WINDOWS)
    for (const namespace of windows.namespaces()) {
      for (const { key, value } of windows.existing(namespace)?.entries() ?? []) {
        lines.push(`window ${String(namespace)} ${shown(key)} ${value.n}`)
      }
    }
    for (const { key, namespace, timestamp } of this.timers.list) {
      lines.push(`timer ${shown(key)} ${String(namespace)} ${timestamp}`)
    }
    return lines.sort()
  }
}

const step = fc.record({
  what: fc.constantFrom(
    'value-change',
    'value-clear',
    'list-add',
    'list-update',
    'list-clear',
    'map-put',
    'map-change',
    'map-remove',
    'map-clear',
    'window-add',
    'window-fill',
    'window-drop',
    'timer-add',
    'timer-fire',
  ),
  key: fc.constantFrom<unknown>(1, 2, 3, 'a', 'b', ['c', 1]),
  n: fc.integer({ min: 1, max: 9 }),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const round = fc.record({
  before: fc.array(step, { maxLength: 12 }),
  during: fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 12 }),
  outcome: fc.constantFrom('complete', 'complete', 'complete', 'abort', 'cancel', 'late', 'savepoint'),
})

/** So much that changes are worth a file of their own. */
function fill(subject: Subject): void {
  for (let i = 0; i < 60; i++) {
    subject.backend.setCurrentKey(`bulk ${i}`)
    subject.value.update({ n: i })
    subject.list.addAll(Array.from({ length: 20 }, (_, j) => j))
    subject.map.put(i, { n: i })
  }
}

describe('incremental snapshots', { timeout: 120_000 }, () => {
  test('give the state of their call at any parallelism, whatever became of the ones before', async () => {
    let withChanges = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { minLength: 2, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        async (rounds, parallelism) => {
          const subject = new Subject(await open())
          fill(subject)
          const late: number[] = []
          for (const [index, { before, during, outcome }] of rounds.entries()) {
            const id = index + 1
            for (const s of before) subject.apply(s)
            const expected = subject.content()
            let slice = 0
            const streams = { ...storage.streams(id, 'a'), selfContained: outcome === 'savepoint' }
            const running = subject.backend.snapshot(id, streams, () => {
              for (const s of during[slice++] ?? []) subject.apply(s)
              if (outcome === 'cancel' && slice === 3) subject.backend.cancelSnapshot(id)
              return Promise.resolve()
            })
            for (const s of during[slice++] ?? []) subject.apply(s)
            const handles = await running.catch((error: unknown) => {
              if (outcome !== 'cancel') throw error
              return undefined
            })
            for (const steps of during.slice(slice)) for (const s of steps) subject.apply(s)
            if (outcome === 'complete') subject.backend.notifyCheckpointComplete?.(id)
            if (outcome === 'late') late.push(id)
            else for (const each of late.splice(0)) subject.backend.notifyCheckpointComplete?.(each)
            if (handles === undefined) continue
            if (outcome === 'savepoint') expect(handles.every(({ delta }) => delta === undefined)).toBe(true)
            if (handles.some(({ delta }) => delta === 'changes')) withChanges++

            const restored: string[] = []
            for (let subtask = 0; subtask < parallelism; subtask++) {
              const range = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtask)
              const part = new Subject(await open(assignKeyedState(handles, range), range))
              const content = part.content()
              restored.push(...content)
              for (const key of part.backend.keys(new ValueStateDescriptor('value'))) {
                const group = keyGroupOf(key, MAX_PARALLELISM)
                expect(group >= range.start && group <= range.end).toBe(true)
              }
            }
            expect(restored.sort()).toEqual(expected)
          }
        },
      ),
      { numRuns: 60 },
    )
    expect(withChanges).toBeGreaterThan(20)
  })

  test('write little when little has changed, nothing when nothing has, everything now and then', async () => {
    const subject = new Subject(await open())
    for (let i = 0; i < 5000; i++) {
      subject.backend.setCurrentKey(i)
      subject.value.update({ n: i })
    }
    const sizes: number[] = []
    let id = 0
    let last: readonly KeyedStateHandle[] = []
    const take = async (): Promise<void> => {
      id++
      last = await subject.backend.snapshot(id, storage.streams(id, 'a'), () => Promise.resolve())
      const own = last.filter(({ origin }) => origin === id)
      sizes.push(own.reduce((sum, { location }) => sum + locationSizeBytes(location), 0))
      subject.backend.notifyCheckpointComplete?.(id)
    }
    await take()
    const full = sizes[0] as number
    await take()
    expect(sizes[1]).toBe(0)
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 50; j++) {
        subject.backend.setCurrentKey(i * 50 + j)
        const value = subject.value.value()
        if (value !== undefined) value.n = -1
      }
      await take()
    }
    const small = sizes.filter(size => size > 0 && size < full / 20)
    const whole = sizes.filter(size => size > full / 2)
    expect([small.length + whole.length + 1, whole.length > 1, small.length > 30]).toEqual([
      sizes.length,
      true,
      true,
    ])
    const restored = new Subject(await open(last))
    expect(restored.content()).toEqual(subject.content())
  })

  test('are read by tools as what they stand for', async () => {
    const subject = new Subject(await open())
    fill(subject)
    const first = await subject.backend.snapshot(1, storage.streams(1, 'a'), () => Promise.resolve())
    subject.backend.notifyCheckpointComplete?.(1)
    subject.backend.setCurrentKey('bulk 1')
    subject.value.clear()
    subject.list.update([7])
    subject.map.remove(1)
    subject.map.put(99, { n: 99 })
    const second = await subject.backend.snapshot(2, storage.streams(2, 'a'), () => Promise.resolve())
    expect(second.map(({ delta }) => delta)).toEqual([undefined, 'removals', 'changes'])
    const read = async (keyed: readonly KeyedStateHandle[]): Promise<unknown[]> => {
      const operatorId = '0'.repeat(32) as OperatorId
      const subtasks = [{ index: 0, state: { operatorId, keyed, operator: [] } }]
      const operator = { operatorId, parallelism: 1, maxParallelism: MAX_PARALLELISM, subtasks }
      const found: unknown[] = []
      for await (const entry of readKeyedEntries(operator, storage, { key: 'bulk 1' })) {
        found.push([entry.state, entry.mapKey, entry.value])
      }
      return found.sort()
    }
    expect(await read(first)).toEqual([
      ['list', undefined, Array.from({ length: 20 }, (_, i) => i)],
      ['map', 1, { n: 1 }],
      ['value', undefined, { n: 1 }],
    ])
    expect(await read(second)).toEqual([
      ['list', undefined, [7]],
      ['map', 99, { n: 99 }],
    ])
  })

  test('a late notice of what a savepoint came after forgets nothing that is removed meanwhile', async () => {
    const subject = new Subject(await open())
    fill(subject)
    const noPause = (): Promise<void> => Promise.resolve()
    await subject.backend.snapshot(1, storage.streams(1, 'a'), noPause)
    await subject.backend.snapshot(2, { ...storage.streams(2, 'a'), selfContained: true }, noPause)
    const running = subject.backend.snapshot(3, storage.streams(3, 'a'), noPause)
    subject.backend.notifyCheckpointComplete?.(1)
    subject.backend.setCurrentKey('bulk 0')
    subject.value.clear()
    await running
    subject.backend.notifyCheckpointComplete?.(3)
    const handles = await subject.backend.snapshot(4, storage.streams(4, 'a'), noPause)
    expect(handles.map(({ delta }) => delta)).toEqual([undefined, 'removals'])
    expect(new Subject(await open(handles)).content()).toEqual(subject.content())
  })

  test('a restored backend begins with everything', async () => {
    const subject = new Subject(await open())
    fill(subject)
    const handles = await subject.backend.snapshot(1, storage.streams(1, 'a'), () => Promise.resolve())
    const restored = new Subject(await open(handles))
    restored.backend.notifyCheckpointComplete?.(1)
    const again = await restored.backend.snapshot(2, storage.streams(2, 'a'), () => Promise.resolve())
    expect(again.map(({ delta, origin }) => [delta, origin])).toEqual([[undefined, 2]])
  })
})
