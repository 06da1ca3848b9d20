import { SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyedStateBackend } from '../api/keyed-state-backend.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  type StateOptions,
  ValueStateDescriptor,
} from '../api/state-descriptor.ts'
import { StateTtlConfig } from '../api/state-ttl-config.ts'
import type { StateType } from '../api/state-type.ts'
import type { ListState, MapState, ValueState } from '../api/user-states.ts'
import { CONFORMING_BACKENDS, closeBackends, TestedBackend } from '../backends/conforming-backends.ts'
import type { KeyedStateHandle } from '../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../storage/file-checkpoint-storage.ts'
import { describeType } from './infer-type.ts'

// Everything is inline: the folder is never made.
const storage = new FileCheckpointStorage(
  { directory: '/nowhere', jobId: 'job', inlineThresholdBytes: 1 << 20 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const tested = new TestedBackend()
afterEach(closeBackends)
const open = (restored: readonly KeyedStateHandle[] = []): Promise<KeyedStateBackend> =>
  tested.create({ keyGroupRange: { start: 0, end: 7 }, maxParallelism: 8 }, restored, storage)
const take = (backend: KeyedStateBackend): Promise<readonly KeyedStateHandle[]> =>
  backend.snapshot(1, storage.streams(1, 'a'), () => Promise.resolve())

interface Visit {
  count: number
  page: string
}

async function stored(options: StateOptions = {}): Promise<readonly KeyedStateHandle[]> {
  const backend = await open()
  const value = backend.state<ValueState<Visit>>(new ValueStateDescriptor<Visit>('value', undefined, options))
  const list = backend.state<ListState<Visit>>(new ListStateDescriptor<Visit>('list', options))
  const map = backend.state<MapState<string, Visit>>(new MapStateDescriptor<string, Visit>('map', options))
  for (const key of ['a', 'b']) {
    backend.setCurrentKey(key)
    value.update({ count: 1, page: key })
    list.addAll([
      { count: 2, page: key },
      { count: 3, page: key },
    ])
    map.put('m', { count: 4, page: key })
  }
  return take(backend)
}

const all = (backend: KeyedStateBackend, options: StateOptions) => ({
  value: backend.state<ValueState<unknown>>(new ValueStateDescriptor<unknown>('value', undefined, options)),
  list: backend.state<ListState<unknown>>(new ListStateDescriptor<unknown>('list', options)),
  map: backend.state<MapState<string, unknown>>(new MapStateDescriptor<string, unknown>('map', options)),
})

describe.each(CONFORMING_BACKENDS)('a snapshot ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  test('says what its values are, without times and places', async () => {
    for (const options of [{}, { ttl: new StateTtlConfig({ ttl: '1 d' }) }]) {
      const [handle] = await stored(options)
      const types = Object.entries(handle?.types ?? {}).map(([name, type]) => [name, describeType(type)])
      expect(types.sort()).toEqual(
        ['list', 'map', 'value'].map(name => [name, '{ count: number; page: string }']),
      )
    }
  })

  test('is migrated when its states are asked for, in all kinds, with times as well', async () => {
    const type: StateType = {
      object: { count: 'bigint', source: { type: 'string', default: 'unknown' } },
    }
    for (const options of [{}, { ttl: new StateTtlConfig({ ttl: '1 d' }) }]) {
      for (let round = 0, handles = await stored(options); round < 2; round++) {
        const backend = await open(handles)
        const { value, list, map } = all(backend, { ...options, type })
        for (const key of ['a', 'b']) {
          backend.setCurrentKey(key)
          expect(value.value()).toEqual({ count: 1n, source: 'unknown' })
          expect([...list.get()]).toEqual([
            { count: 2n, source: 'unknown' },
            { count: 3n, source: 'unknown' },
          ])
          expect([...map.entries()]).toEqual([['m', { count: 4n, source: 'unknown' }]])
        }
        handles = await take(backend)
        expect(describeType(handles[0]?.types?.value ?? 'any')).toBe('{ count: bigint; source: string }')
      }
    }
  })

  test('is refused before any record when a type cannot be reached, naming state, field and both types', async () => {
    const handles = await stored()
    const backend = await open(handles)
    const type: StateType = { object: { count: 'string', page: 'string' } }
    expect(() => backend.state(new ListStateDescriptor('list', { type }))).toThrow(
      "State 'list' was stored with value.count of type number, but is declared with string.",
    )
    // Also where the snapshot does not say: one of an older version.
    const silent = await open(handles.map(({ types: _, ...handle }) => handle))
    expect(() => silent.state(new MapStateDescriptor('map', { type }))).toThrow(
      expect.objectContaining({
        code: 'state.incompatible-type',
        data: { name: 'map', field: 'value.count', stored: 'number', declared: 'string' },
      }),
    )
    const added: StateType = { object: { count: 'number', page: 'string', rank: 'number' } }
    expect(() => backend.state(new ValueStateDescriptor('value', undefined, { type: added }))).toThrow(
      "State 'value' was stored with value.rank of type nothing, but is declared with number.",
    )
  })
})

describe.each(CONFORMING_BACKENDS)('migrate ($name)', backend => {
  beforeEach(context => tested.use(backend, context))
  const type: StateType = { object: { total: 'number' } }

  test('turns what does not fit, and only that', async () => {
    const backend = await open(await stored())
    let calls = 0
    const migrate = ({ count }: Visit) => {
      calls++
      return { total: count * 100 }
    }
    const { value, list, map } = all(backend, { type, migrate })
    expect(calls).toBe(8)
    backend.setCurrentKey('b')
    expect([value.value(), [...list.get()], map.get('m')]).toEqual([
      { total: 100 },
      [{ total: 200 }, { total: 300 }],
      { total: 400 },
    ])
    all(await open(await take(backend)), { type, migrate })
    expect(calls).toBe(8)
  })

  test('that throws or gives something else fails with the key', async () => {
    const handles = await stored()
    const migrate = (): never => {
      throw new Error('no idea')
    }
    const thrower = { type, migrate }
    const backend = await open(handles)
    expect(() => all(backend, thrower)).toThrow(
      /`migrate` of state 'value' failed for the value of key '[ab]': no idea/,
    )
    const wrong = { type, migrate: () => ({ total: 'much' }) }
    expect(() => all(backend, wrong)).toThrow(/value\.total of type string, but number is declared/)
  })

  test('needs a type to be asked for', () => {
    expect(() => new ValueStateDescriptor('x', 0, { migrate: () => 1 })).toThrow(
      expect.objectContaining({ code: 'state.invalid-descriptor' }),
    )
  })
})
