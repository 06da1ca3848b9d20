import { mkdtempSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancellationError, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { canonicalKey, keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend, TimerEntry } from '../../api/keyed-state-backend.ts'
import { type StateDescriptor, ValueStateDescriptor } from '../../api/state-descriptor.ts'
import { assignKeyedState } from '../../keygroup/assign-operator-state.ts'
import { KEYED_FORMAT_VERSION } from '../../snapshot/keyed-format.ts'
import { readKeyGroups } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { CONFORMING_BACKENDS, closeBackends, TestedBackend } from '../conforming-backends.ts'
import { SEGMENT_LIMIT } from './entry-index.ts'

const MAX_PARALLELISM = 16
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const internal = (name: string): StateDescriptor<never> => ({ kind: 'internal', name })

const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))

const storageWith = (inlineThresholdBytes: number): FileCheckpointStorage =>
  new FileCheckpointStorage(
    { directory, jobId: 'job', inlineThresholdBytes },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
  )
const files = storageWith(0)
const inline = storageWith(1 << 20)

const tested = new TestedBackend()
afterEach(closeBackends)
const open = (restored: readonly KeyedStateHandle[] = [], range = ALL): Promise<KeyedStateBackend> =>
  tested.create(
    { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, snapshotSliceMs: 0 },
    restored,
    files,
  )
const take = (
  backend: KeyedStateBackend,
  yieldSlice: () => Promise<void> = () => Promise.resolve(),
  storage = files,
): Promise<readonly KeyedStateHandle[]> => backend.snapshot(1, storage.streams(1, 'attempt'), yieldSlice)

/** All content, as text by state, namespace and key. */
function contentOf(backend: KeyedStateBackend, names: readonly string[]): Map<string, string> {
  const content = new Map<string, string>()
  for (const name of names) {
    const state = backend.namespacedState<unknown>(internal(name))
    for (const namespace of state.namespaces()) {
      for (const { key, value } of state.existing(namespace)?.entries() ?? []) {
        const id = `${name}/${String(namespace)}:${typeof namespace}/${typeof key}:${String(canonicalKey(key))}`
        expect(content.has(id)).toBe(false)
        content.set(id, JSON.stringify(value))
      }
    }
  }
  return content
}

type Namespace = string | number | undefined
type Operation =
  | { type: 'add'; state: string; namespace: Namespace; key: unknown }
  | { type: 'remove'; state: string; namespace: Namespace; key: unknown }
  | { type: 'drop'; state: string; namespace: Namespace }
  | { type: 'scan'; state: string; namespace: Namespace }

const state = fc.constantFrom('a', 'b')
const namespace = fc.constantFrom<Namespace>(undefined, 0, 86_400_000, 'w', '\ud800')
const key = fc.constantFrom<unknown>(
  1,
  2,
  3,
  '1',
  'key',
  true,
  1n,
  new Date(1),
  [1, 'x'],
  { f: 1 },
  Number.NaN,
  -0,
  '\0',
)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('add' as const), state, namespace, key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('remove' as const), state, namespace, key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drop' as const), state, namespace }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('scan' as const), state, namespace }) },
)

function apply(backend: KeyedStateBackend, op: Operation): void {
  const target = backend.namespacedState<{ n: number; log: number[] }>(internal(op.state))
  switch (op.type) {
    case 'add': {
      const table = target.table(op.namespace)
      const entry = table.find(op.key) ?? table.insert(op.key, { n: 0, log: [] })
      // In place, as user code does.
      entry.value.n++
      entry.value.log.push(entry.value.n)
      break
    }
    case 'remove':
      target.existing(op.namespace)?.remove(op.key)
      break
    case 'drop':
      target.drop(op.namespace)
      break
    case 'scan':
      for (const entry of target.existing(op.namespace)?.entries() ?? []) entry.value = { n: -1, log: [] }
  }
}

describe.each(CONFORMING_BACKENDS)('snapshot and restore ($name)', { timeout: 30_000 }, backend => {
  beforeEach(context => tested.use(backend, context))
  test('whatever runs between the slices, the snapshot is the state of the call, at any parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 60 }),
        fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        async (before, between, parallelism) => {
          const backend = await open()
          for (const op of before) apply(backend, op)
          const expected = contentOf(backend, ['a', 'b'])
          let slice = 0
          const result = take(backend, () => {
            for (const op of between[slice++] ?? []) apply(backend, op)
            return Promise.resolve()
          })
          // Before the first slice is written.
          for (const op of between[slice++] ?? []) apply(backend, op)
          const handles = await result
          for (const ops of between.slice(slice)) for (const op of ops) apply(backend, op)
          const restored = new Map<string, string>()
          for (let subtask = 0; subtask < parallelism; subtask++) {
            const range = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtask)
            const part = await open(assignKeyedState(handles, range), range)
            for (const [id, value] of contentOf(part, ['a', 'b'])) {
              expect(restored.has(id)).toBe(false)
              restored.set(id, value)
            }
            for (const [, table] of tablesOf(part)) {
              for (const entry of table.entries()) {
                const group = keyGroupOf(entry.key, MAX_PARALLELISM)
                expect(group >= range.start && group <= range.end).toBe(true)
              }
            }
          }
          expect(restored).toEqual(expected)
        },
      ),
      { numRuns: 2 * tested.runsPercent },
    )
  })

  test('from several subtasks into one, and again', async () => {
    const parts = await Promise.all(
      [0, 1, 2].map(async subtask => {
        const range = keyGroupRangeOf(MAX_PARALLELISM, 3, subtask)
        const backend = await open([], range)
        const table = backend.namespacedState<number>(internal('a')).table(7)
        for (let i = 0; i < 300; i++) {
          const group = keyGroupOf(i, MAX_PARALLELISM)
          if (group >= range.start && group <= range.end) table.insert(i, i * i)
        }
        return take(backend)
      }),
    )
    const whole = await open(parts.flat())
    expect(whole.namespacedState(internal('a')).existing(7)?.size).toBe(300)
    const again = await open(await take(whole))
    for (let i = 0; i < 300; i++) {
      expect(again.namespacedState<number>(internal('a')).existing(7)?.find(i)?.value).toBe(i * i)
    }
  })

  test('entries are found by number and by text while a table grows over segments, and not once removed', async () => {
    const backend = await open()
    const table = backend.namespacedState<number>(internal('mixed')).table(undefined)
    const model = new Map<number | string, number>()
    const keyOf = (i: number): number | string => (i % 2 === 0 ? i - SEGMENT_LIMIT : `key ${i}`)
    const check = (i: number): void => {
      expect(table.find(keyOf(i))?.value).toBe(model.get(keyOf(i)))
      // Decoded anew each time, as from a channel.
      if (i % 2 === 1)
        expect(table.find(Buffer.from(`key ${i}`).toString())?.value).toBe(model.get(`key ${i}`))
    }
    const count = 2 * SEGMENT_LIMIT
    for (let i = 0; i < count; i++) {
      table.insert(keyOf(i), i)
      model.set(keyOf(i), i)
      if (i % 5 === 0) {
        const gone = (i * 7919) % (i + 1)
        expect(table.remove(keyOf(gone))).toBe(model.delete(keyOf(gone)))
      }
      if (i % 3 === 0) check((i * 31) % (i + 1))
    }
    for (let i = 0; i < count; i += 7) check(i)
    expect(table.size).toBe(model.size)
  })

  test('while tables grow over segments, in chunks of files, also for a part of the key groups', async () => {
    const count = SEGMENT_LIMIT + 8000
    const backend = await open()
    const table = backend.namespacedState<{ n: number }>(internal('big')).table(undefined)
    for (let i = 0; i < count; i++) table.insert(`key number ${i}`, { n: i })
    let next = 0
    let slices = 0
    const handles = await take(backend, () => {
      // Growth, changes in place and removals, all over the table.
      if (slices++ % 128 !== 0) return Promise.resolve()
      for (let i = 0; i < 200; i++) {
        const at = (next * 7919) % count
        const found = table.find(`key number ${at}`)
        if (found !== undefined) found.value.n = -1
        if (next % 3 === 0) table.remove(`key number ${at}`)
        table.insert(`new ${next++}`, { n: -2 })
      }
      return Promise.resolve()
    })
    expect(next).toBeGreaterThan(20_000)
    expect(handles[0]?.location.type).toBe('file')
    let restored = 0
    for (const range of [ALL, keyGroupRangeOf(MAX_PARALLELISM, 3, 1)]) {
      const part = await open(handles, range)
      const values = part.namespacedState<{ n: number }>(internal('big')).table(undefined)
      for (let i = 0; i < count; i++) {
        const group = keyGroupOf(`key number ${i}`, MAX_PARALLELISM)
        const expected = group >= range.start && group <= range.end ? { n: i } : undefined
        if (expected !== undefined) restored++
        if (values.find(`key number ${i}`)?.value.n !== expected?.n) throw new Error(`key ${i}`)
      }
    }
    expect(restored).toBeGreaterThan(count)
  })

  test('small state comes back inline, an empty backend writes nothing', async () => {
    const backend = await open()
    backend.namespacedState(internal('a')).table(1)
    expect(await take(backend)).toEqual([])
    backend.namespacedState<number>(internal('a')).table(1).insert('k', 1)
    const handles = await take(backend, undefined, inline)
    expect(handles[0]?.location.type).toBe('inline')
    expect((await open(handles)).namespacedState<number>(internal('a')).table(1).find('k')?.value).toBe(1)
  })

  test('two snapshots one after the other are independent', async () => {
    const backend = await open()
    const table = backend.namespacedState<{ n: number }>(internal('a')).table(undefined)
    for (let i = 0; i < 50; i++) table.insert(i, { n: 1 })
    const first = await take(backend)
    for (let i = 0; i < 50; i++) (table.find(i) as { value: { n: number } }).value.n = 2
    const running = take(backend)
    for (let i = 0; i < 50; i++) (table.find(i) as { value: { n: number } }).value.n = 3
    const second = await running
    for (const [handles, n] of [
      [first, 1],
      [second, 2],
    ] as const) {
      const restored = (await open(handles)).namespacedState<{ n: number }>(internal('a')).table(undefined)
      expect([...restored.entries()].map(e => e.value.n)).toEqual(new Array(50).fill(n))
    }
  })

  test('state that nobody asks for is kept and written again', async () => {
    const backend = await open()
    backend.namespacedState<number>(internal('old')).table('w').insert('k', 1)
    backend.registerParticipant('timers', timers([{ key: 'k', namespace: 1, timestamp: 5 }]))
    const unclaimed = await open(await take(backend))
    const again = await open(await take(unclaimed))
    expect(again.namespacedState<number>(internal('old')).table('w').find('k')?.value).toBe(1)
    const queue = timers([])
    again.registerParticipant('timers', queue)
    expect(queue.list).toEqual([{ key: 'k', namespace: 1, timestamp: 5 }])
  })
})

describe.each(CONFORMING_BACKENDS)('timers ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test('are those of the call, restored by key group', async () => {
    const entries = Array.from({ length: 500 }, (_, i) => ({
      key: `k${i}`,
      namespace: i % 3,
      timestamp: i * 1000,
    }))
    const queue = timers([...entries])
    const backend = await open()
    backend.registerParticipant('timers', queue)
    const result = take(backend, () => {
      queue.list.push({ key: 'late', namespace: 0, timestamp: 1 })
      return Promise.resolve()
    })
    queue.list.length = 0
    const handles = await result
    const restored: TimerEntry[] = []
    for (let subtask = 0; subtask < 4; subtask++) {
      const range = keyGroupRangeOf(MAX_PARALLELISM, 4, subtask)
      const part = timers([])
      ;(await open(handles, range)).registerParticipant('timers', part)
      for (const { key } of part.list) {
        const group = keyGroupOf(key, MAX_PARALLELISM)
        expect(group >= range.start && group <= range.end).toBe(true)
      }
      restored.push(...part.list)
    }
    const byTime = (a: TimerEntry, b: TimerEntry): number => a.timestamp - b.timestamp
    expect(restored.sort(byTime)).toEqual(entries)
  })
})

describe.each(CONFORMING_BACKENDS)('failures ($name)', { timeout: 30_000 }, backend => {
  beforeEach(context => tested.use(backend, context))
  test('a state of another kind is refused, also after a restore', async () => {
    const backend = await open()
    backend.state(new ValueStateDescriptor('s'))
    const mismatch = expect.objectContaining({ code: 'state.kind-mismatch' })
    expect(() => backend.namespacedState(internal('s'))).toThrow(mismatch)
    backend.namespacedState<number>(internal('t')).table(undefined).insert('k', 1)
    const restored = await open(await take(backend))
    expect(() => restored.state(new ValueStateDescriptor('t'))).toThrow(mismatch)
    expect(() => restored.state({ kind: 'internal', name: 'x' })).toThrow(/'internal'.*Known: value/)
    expect(() => restored.namespacedState({ kind: 'list', name: 'x' })).toThrow(/'list'.*Known: internal/)
  })

  test('a value that cannot be stored fails the snapshot, not the record that touches it', async () => {
    const backend = await open()
    const table = backend.namespacedState<unknown>(internal('a')).table(undefined)
    table.insert('bad', () => 1)
    const touched = take(backend)
    expect(table.find('bad')).toBeDefined()
    const unsupported = { code: 'serialization.unsupported-value' }
    await expect(touched).rejects.toMatchObject(unsupported)
    await expect(take(backend)).rejects.toMatchObject(unsupported)
    table.remove('bad')
    table.insert('good', 1)
    expect(await take(backend)).toHaveLength(1)
  })

  test('a key of a foreign key group is named', async () => {
    const backend = await open([], { start: 0, end: 0 })
    const table = backend.namespacedState<number>(internal('a')).table(undefined)
    for (let i = 0; i < 20; i++) table.insert(`key ${i}`, i)
    await expect(take(backend)).rejects.toMatchObject({ code: 'state.key-not-in-range' })
  })

  test('a second entry for a key is refused', async () => {
    const table = (await open()).namespacedState<number>(internal('a')).table(undefined)
    table.insert('k', 1)
    expect(() => table.insert('k', 2)).toThrow(expect.objectContaining({ code: 'state.duplicate-insert' }))
  })

  test('a name is for one timer queue', async () => {
    const backend = await open()
    backend.registerParticipant('t', timers([]))
    expect(() => backend.registerParticipant('t', timers([]))).toThrow(
      expect.objectContaining({ code: 'state.duplicate-participant' }),
    )
  })

  test('one snapshot at a time; a cancelled one leaves no file and makes room', async () => {
    const backend = await open()
    const table = backend.namespacedState<{ n: number }>(internal('a')).table(undefined)
    for (let i = 0; i < 5000; i++) table.insert(i, { n: 1 })
    const streams = files.streams(77, 'attempt')
    let cancelled = false
    const first = backend.snapshot(77, streams, () => {
      if (!cancelled) backend.cancelSnapshot(77)
      cancelled = true
      return Promise.resolve()
    })
    await expect(backend.snapshot(78, streams, () => Promise.resolve())).rejects.toMatchObject({
      code: 'state.snapshot-in-progress',
    })
    await expect(first).rejects.toBeInstanceOf(CancellationError)
    backend.cancelSnapshot(77)
    const second = take(backend)
    ;(table.find(1) as { value: { n: number } }).value.n = 2
    const restored = await open(await second)
    expect(restored.namespacedState<{ n: number }>(internal('a')).table(undefined).find(1)?.value.n).toBe(1)
    expect(await readdir(join(directory, 'job')).then(names => names.filter(n => n === 'chk-77'))).toEqual([])
  })

  test('a write that fails rejects, removes the file and ends copy-on-write', async () => {
    const backend = await open()
    backend.namespacedState<number>(internal('a')).table(undefined).insert('k', 1)
    let discarded = 0
    const broken: CheckpointStreamFactory = {
      open: () =>
        Promise.resolve({
          position: 0,
          write: () => Promise.reject(new Error('disk full')),
          close: () => Promise.reject(new Error('unreachable')),
          discard: () => {
            discarded++
            return Promise.resolve()
          },
        }),
    }
    await expect(backend.snapshot(1, broken, () => Promise.resolve())).rejects.toThrow('disk full')
    expect(discarded).toBe(1)
    expect(await take(backend)).toHaveLength(1)
  })

  test('damaged, cut, foreign and newer files say so', async () => {
    const backend = await open()
    const table = backend.namespacedState<number>(internal('a')).table(undefined)
    for (let i = 0; i < 100; i++) table.insert(i, i)
    const [handle] = await take(backend, undefined, inline)
    if (handle?.location.type !== 'inline') throw new Error('inline expected')
    const bytes = Buffer.from(handle.location.base64, 'base64')
    const reopen = (changed: Buffer): Promise<unknown> =>
      open([{ ...handle, location: { type: 'inline', base64: changed.toString('base64') } }])
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(reopen(bytes.subarray(0, length))).rejects.toMatchObject({
        code: 'state.corrupt-snapshot',
      })
    }
    const newer = Buffer.from(bytes)
    newer.writeUInt32LE(KEYED_FORMAT_VERSION + 1, 4)
    await expect(reopen(newer)).rejects.toMatchObject({ code: 'state.newer-format' })
    await expect(
      tested.create({ keyGroupRange: ALL, maxParallelism: 32 }, [handle], files),
    ).rejects.toMatchObject({ code: 'state.max-parallelism-changed', data: { stored: 16, requested: 32 } })
    const names = new Set<string>()
    for await (const { header, entries } of readKeyGroups(handle, ALL, inline)) {
      for (const { stateIndex } of entries()) names.add(header.states[stateIndex]?.name ?? '')
    }
    expect([...names]).toEqual(['a'])
  })
})

function tablesOf(backend: KeyedStateBackend) {
  return ['a', 'b'].flatMap(name => {
    const target = backend.namespacedState<unknown>(internal(name))
    return [...target.namespaces()].map(ns => [ns, target.table(ns)] as const)
  })
}

function timers(list: TimerEntry[]) {
  return {
    list,
    snapshotEntries: () => list,
    restoreEntries: (entries: Iterable<TimerEntry>) => {
      list.push(...entries)
    },
  }
}
