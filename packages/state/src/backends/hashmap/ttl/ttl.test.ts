import { SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend } from '../../../api/keyed-state-backend.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type StateOptions,
  ValueStateDescriptor,
} from '../../../api/state-descriptor.ts'
import { NO_EVENT_TIME } from '../../../api/state-time.ts'
import { StateTtlConfig, type StateTtlOptions } from '../../../api/state-ttl-config.ts'
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../../../api/user-states.ts'
import { readKeyGroups } from '../../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../../storage/file-checkpoint-storage.ts'
import { CONFORMING_BACKENDS, closeBackends, TestedBackend } from '../../conforming-backends.ts'

const ALL = { start: 0, end: 7 }
// Everything is inline: the folder is never made.
const storage = new FileCheckpointStorage(
  { directory: '/nowhere', jobId: 'job', inlineThresholdBytes: 1 << 20 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)

class Clocks {
  processing = 1000
  event = NO_EVENT_TIME
  record = Number.NaN
  processingTime = (): number => this.processing
  watermark = (): number => this.event
  recordTimestamp = (): number => this.record
}

const tested = new TestedBackend()
afterEach(closeBackends)

async function open(clocks: Clocks, restored: readonly KeyedStateHandle[] = []): Promise<KeyedStateBackend> {
  const backend = await tested.create(
    { keyGroupRange: ALL, maxParallelism: 8, snapshotSliceMs: 0 },
    restored,
    storage,
  )
  backend.useTime(clocks)
  return backend
}

const take = (backend: KeyedStateBackend): Promise<readonly KeyedStateHandle[]> =>
  backend.snapshot(1, storage.streams(1, 'a'), () => Promise.resolve())

const ttlOf = (options: Partial<StateTtlOptions> = {}): StateTtlConfig =>
  new StateTtlConfig({ ttl: 100, cleanupIncrementally: false, ...options })

function statesOf(backend: KeyedStateBackend, ttl: StateTtlConfig | undefined) {
  const options: StateOptions = ttl === undefined ? {} : { ttl }
  return {
    value: backend.state<ValueState<string>>(new ValueStateDescriptor<string>('value', 'none', options)),
    list: backend.state<ListState<number>>(new ListStateDescriptor<number>('list', options)),
    map: backend.state<MapState<string, number>>(new MapStateDescriptor<string, number>('map', options)),
    sum: backend.state<ReducingState<number>>(
      new ReducingStateDescriptor<number>('sum', (a, b) => a + b, options),
    ),
    count: backend.state<AggregatingState<string, number>>(
      new AggregatingStateDescriptor<string, number, number>(
        'count',
        { createAccumulator: () => 0, add: (_, n) => n + 1, getResult: n => n * 10 },
        options,
      ),
    ),
  }
}

const seen = (states: ReturnType<typeof statesOf>): unknown => ({
  value: states.value.value(),
  list: [...states.list.get()],
  map: [...states.map.entries()],
  sum: states.sum.get(),
  count: states.count.get(),
})
const NOTHING = { value: 'none', list: [], map: [], sum: undefined, count: undefined }

function fill(states: ReturnType<typeof statesOf>): void {
  states.value.update('v')
  states.list.add(1)
  states.map.put('k', 2)
  states.sum.add(3)
  states.sum.add(4)
  states.count.add('x')
}
const FILLED = { value: 'v', list: [1], map: [['k', 2]], sum: 7, count: 10 }

describe.each(CONFORMING_BACKENDS)('a value ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test('is gone when its time is over, to the millisecond, in all kinds of state', async () => {
    const clocks = new Clocks()
    const states = statesOf(await withKey(clocks), ttlOf())
    fill(states)
    clocks.processing += 99
    expect(seen(states)).toEqual(FILLED)
    clocks.processing += 1
    expect(seen(states)).toEqual(NOTHING)
    expect([states.map.contains('k'), states.map.isEmpty()]).toEqual([false, true])
    fill(states)
    expect(seen(states)).toEqual(FILLED)
  })

  test('lives on when it is written, and when it is read if wanted', async () => {
    for (const updateType of ['on-create-and-write', 'on-read-and-write'] as const) {
      const clocks = new Clocks()
      const states = statesOf(await withKey(clocks), ttlOf({ updateType }))
      fill(states)
      clocks.processing += 60
      const read = seen(states)
      expect(read).toEqual(FILLED)
      clocks.processing += 60
      expect(seen(states)).toEqual(updateType === 'on-read-and-write' ? FILLED : NOTHING)
    }
    const clocks = new Clocks()
    const states = statesOf(await withKey(clocks), ttlOf())
    fill(states)
    clocks.processing += 60
    fill(states)
    clocks.processing += 60
    expect(seen(states)).toEqual({ value: 'v', list: [1], map: [['k', 2]], sum: 14, count: 20 })
  })

  test('that is over may still be seen once, if it was not cleaned up', async () => {
    const clocks = new Clocks()
    const ttl = ttlOf({ visibility: 'return-expired-if-not-cleaned-up' })
    const states = statesOf(await withKey(clocks), ttl)
    fill(states)
    clocks.processing += 100
    expect(seen(states)).toEqual(FILLED)
    expect(seen(states)).toEqual(NOTHING)
  })

  test('that is over is not added to', async () => {
    const clocks = new Clocks()
    const states = statesOf(await withKey(clocks), ttlOf())
    fill(states)
    clocks.processing += 100
    states.sum.add(1)
    states.count.add('x')
    states.list.add(5)
    expect([states.sum.get(), states.count.get(), [...states.list.get()]]).toEqual([1, 10, [5]])
  })

  test('of a list or map has its own time', async () => {
    const clocks = new Clocks()
    const { list, map } = statesOf(await withKey(clocks), ttlOf())
    list.add(1)
    map.put('old', 1)
    clocks.processing += 50
    list.addAll([2, 3])
    map.putAll([['new', 2]])
    clocks.processing += 50
    expect([[...list.get()], [...map.keys()], [...map.values()]]).toEqual([[2, 3], ['new'], [2]])
  })
})

/** Keys of each state. */
const sizesOf = (backend: KeyedStateBackend): number[] =>
  ['value', 'list', 'map', 'sum', 'count'].map(
    name => [...backend.keys(new ValueStateDescriptor<unknown>(name))].length,
  )

async function withKey(
  clocks: Clocks,
  restored: readonly KeyedStateHandle[] = [],
): Promise<KeyedStateBackend> {
  const backend = await open(clocks, restored)
  backend.setCurrentKey('key')
  return backend
}

describe.each(CONFORMING_BACKENDS)('event time ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test('counts from the record to the watermark', async () => {
    const clocks = new Clocks()
    const states = statesOf(await withKey(clocks), ttlOf({ time: 'event-time' }))
    clocks.record = 5000
    fill(states)
    clocks.processing += 1_000_000
    clocks.event = 5099
    expect(seen(states)).toEqual(FILLED)
    clocks.event = 5100
    expect(seen(states)).toEqual(NOTHING)
  })

  test('what is written before there is an event time counts from the first one', async () => {
    const clocks = new Clocks()
    const states = statesOf(await withKey(clocks), ttlOf({ time: 'event-time' }))
    fill(states)
    clocks.event = 9000
    expect(seen(states)).toEqual(FILLED)
    clocks.event = 9099
    expect(seen(states)).toEqual(FILLED)
    clocks.event = 9100
    expect(seen(states)).toEqual(NOTHING)
  })
})

describe.each(CONFORMING_BACKENDS)('restored state ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test.each([
    [undefined, 'processing-time'],
    ['processing-time', undefined],
    ['processing-time', 'event-time'],
    ['event-time', 'processing-time'],
    ['processing-time', 'processing-time'],
  ] as const)('with time to live by %s goes on with %s', async (before, after) => {
    const ttl = (time: 'processing-time' | 'event-time' | undefined) =>
      time === undefined ? undefined : ttlOf({ time })
    const clocks = new Clocks()
    clocks.event = 70_000
    const backend = await withKey(clocks)
    fill(statesOf(backend, ttl(before)))
    clocks.processing += 40
    clocks.event += 40
    const restored = await withKey(clocks, await take(backend))
    const states = statesOf(restored, ttl(after))
    expect(seen(states)).toEqual(FILLED)
    clocks.processing += before === after ? 59 : 99
    clocks.event += 99
    expect(seen(states)).toEqual(FILLED)
    clocks.processing += 1
    clocks.event += 1
    expect(seen(states)).toEqual(after === undefined ? FILLED : NOTHING)
  })

  test('keeps its times through a restore in which nobody asks for it', async () => {
    const clocks = new Clocks()
    const backend = await withKey(clocks)
    fill(statesOf(backend, ttlOf()))
    const unclaimed = await withKey(clocks, await take(backend))
    const states = statesOf(await withKey(clocks, await take(unclaimed)), ttlOf())
    clocks.processing += 99
    expect(seen(states)).toEqual(FILLED)
    clocks.processing += 1
    expect(seen(states)).toEqual(NOTHING)
  })

  test('of subtasks that differ in whether they had switched it on fits together', async () => {
    const clocks = new Clocks()
    const plain = await open(clocks)
    const timed = await open(clocks)
    plain.setCurrentKey('a')
    fill(statesOf(plain, undefined))
    timed.setCurrentKey('b')
    fill(statesOf(timed, ttlOf()))
    for (const handles of [
      [...(await take(plain)), ...(await take(timed))],
      [...(await take(timed)), ...(await take(plain))],
    ]) {
      const backend = await open(clocks, handles)
      const states = statesOf(backend, ttlOf())
      for (const key of ['a', 'b']) {
        backend.setCurrentKey(key)
        expect(seen(states)).toEqual(FILLED)
      }
    }
  })
})

describe.each(CONFORMING_BACKENDS)('cleaning up ($name)', { timeout: 30_000 }, backend => {
  beforeEach(context => tested.use(backend, context))
  async function entriesIn(handles: readonly KeyedStateHandle[]): Promise<number> {
    let entries = 0
    for (const handle of handles) {
      for await (const chunk of readKeyGroups(handle, ALL, storage)) {
        for (const _ of chunk.entries()) entries++
      }
    }
    return entries
  }

  test('snapshots leave out what is over, unless told otherwise', async () => {
    for (const cleanupFullSnapshot of [true, false]) {
      const clocks = new Clocks()
      const backend = await withKey(clocks)
      fill(statesOf(backend, ttlOf({ cleanupFullSnapshot })))
      clocks.processing += 100
      const handles = await take(backend)
      // The piece of the list is stored, without elements.
      expect(await entriesIn(handles)).toBe(cleanupFullSnapshot ? 1 : 5)
      const restored = await withKey(clocks, handles)
      expect(seen(statesOf(restored, ttlOf()))).toEqual(NOTHING)
      if (cleanupFullSnapshot) expect(await take(restored)).toEqual([])
    }
  })

  test('goes round a few entries at a time, while other keys are used, also during a snapshot', async () => {
    for (const everyRecord of [false, true]) {
      const clocks = new Clocks()
      const backend = await open(clocks)
      const ttl = ttlOf({ cleanupIncrementally: { entries: 3, everyRecord } })
      const states = statesOf(backend, ttl)
      for (let i = 0; i < 500; i++) {
        backend.setCurrentKey(i)
        fill(states)
        states.map.put('other', i)
      }
      clocks.processing += 100
      backend.setCurrentKey('busy')
      fill(states)
      const snapshot = backend.snapshot(2, storage.streams(2, 'a'), () => Promise.resolve())
      for (let i = 0; i < 1000; i++) {
        backend.setCurrentKey('busy')
        if (!everyRecord) fill(states)
      }
      const restored = await withKey(new Clocks(), await snapshot)
      expect(sizesOf(restored)).toEqual([1, 1, 1, 1, 1])
      expect(sizesOf(backend)).toEqual([1, 1, 1, 1, 1])
    }
  })

  test('removes nothing that is alive, whatever is written meanwhile', { timeout: 30_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.nat(20), wait: fc.nat(30), add: fc.boolean() }), { maxLength: 200 }),
        async steps => {
          const clocks = new Clocks()
          const backend = await open(clocks)
          const { value, list, map } = statesOf(backend, ttlOf({ cleanupIncrementally: { entries: 4 } }))
          const written = new Map<number, number>()
          for (const { key, wait, add } of steps) {
            clocks.processing += wait
            backend.setCurrentKey(key)
            const alive = clocks.processing - (written.get(key) ?? -1000) < 100
            expect(value.value()).toBe(alive ? `v${key}` : 'none')
            expect([...list.get()].length > 0).toBe(alive)
            expect(map.contains(`m${key}`)).toBe(alive)
            if (!add) continue
            value.update(`v${key}`)
            list.update([key, key])
            map.put(`m${key}`, key)
            written.set(key, clocks.processing)
          }
        },
      ),
      { numRuns: Math.ceil(tested.runsPercent / 2) },
    ),
  )
})

describe('configuration', () => {
  test('is checked', () => {
    const invalid = expect.objectContaining({ code: 'state.invalid-time-to-live' })
    for (const ttl of [0, -1, 'soon', '', 0.5]) expect(() => new StateTtlConfig({ ttl })).toThrow(invalid)
    expect(() => ttlOf({ updateType: 'sometimes' as never })).toThrow(/disabled, on-create-and-write/)
    expect(() => ttlOf({ cleanupIncrementally: { entries: -1 } })).toThrow(invalid)
  })

  test("Flink's builder gives the same", () => {
    const built = StateTtlConfig.newBuilder('1 min')
      .updateTtlOnReadAndWrite()
      .returnExpiredIfNotCleanedUp()
      .useEventTime()
      .cleanupIncrementally(7, true)
      .build()
    const written = new StateTtlConfig({
      ttl: { minutes: 1 },
      updateType: 'on-read-and-write',
      visibility: 'return-expired-if-not-cleaned-up',
      time: 'event-time',
      cleanupIncrementally: { entries: 7, everyRecord: true },
    })
    expect(built).toEqual(written)
  })

  test('disabled is none, two that differ for one state are refused', async () => {
    const clocks = new Clocks()
    const backend = await withKey(clocks)
    const states = statesOf(backend, ttlOf({ updateType: 'disabled' }))
    fill(states)
    clocks.processing += 1_000_000
    expect(seen(states)).toEqual(FILLED)
    expect(() => statesOf(backend, ttlOf())).toThrow(
      expect.objectContaining({ code: 'state.conflicting-declaration' }),
    )
  })

  test('can be set on a descriptor later, as in Flink', () => {
    const descriptor = new ValueStateDescriptor<number>('x').enableTimeToLive(ttlOf())
    expect(descriptor.ttl?.ttlMs).toBe(100)
  })
})
