import { SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { describe, expect, test } from 'vitest'
import type { KeyedStateBackend } from '../../api/keyed-state-backend.ts'
import { ValueStateDescriptor } from '../../api/state-descriptor.ts'
import type { ValueState } from '../../api/user-states.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'

// Everything is inline: the folder is never made.
const storage = new FileCheckpointStorage(
  { directory: '/nowhere', jobId: 'job', inlineThresholdBytes: 1 << 20 },
  { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
)
const open = (restored: readonly KeyedStateHandle[] = []): Promise<KeyedStateBackend> =>
  createHashMapKeyedStateBackend(
    { keyGroupRange: { start: 0, end: 15 }, maxParallelism: 16 },
    restored,
    storage,
  )
const take = (backend: KeyedStateBackend): Promise<readonly KeyedStateHandle[]> =>
  backend.snapshot(1, storage.streams(1, 'attempt'), () => Promise.resolve())

describe('value state', () => {
  test('is bound to the current key', async () => {
    const backend = await open()
    const count = backend.state<ValueState<number>>(new ValueStateDescriptor('count', 10))
    expect(() => count.value()).toThrow(expect.objectContaining({ code: 'state.no-current-key' }))
    backend.setCurrentKey('a')
    expect(count.value()).toBe(10)
    count.update(1)
    expect(count.value()).toBe(1)
    backend.setCurrentKey('b')
    expect(count.value()).toBe(10)
    count.clear()
    backend.setCurrentKey('a')
    expect(count.value()).toBe(1)
    count.clear()
    expect(count.value()).toBe(10)
    count.update(3)
    count.update(4)
    const other = backend.state<ValueState<number>>(new ValueStateDescriptor('count'))
    expect(other.value()).toBe(4)
    other.clear()
    expect(count.value()).toBe(10)
    count.update(undefined as never)
    expect(await take(backend)).toEqual([])
    expect(() => {
      backend.setCurrentKey(undefined)
      count.value()
    }).toThrow(expect.objectContaining({ code: 'serialization.invalid-key' }))
  })

  test('a default that is changed in place stays with its key', async () => {
    const backend = await open()
    const list = backend.state<ValueState<number[]>>(new ValueStateDescriptor<number[]>('list', []))
    backend.setCurrentKey('a')
    list.value()?.push(1)
    expect(list.value()).toEqual([])
  })

  test('the entry kept from before a snapshot is not changed behind its back', async () => {
    const backend = await open()
    const value = backend.state<ValueState<{ n: number }>>(new ValueStateDescriptor<{ n: number }>('v'))
    backend.setCurrentKey('a')
    value.update({ n: 1 })
    const result = take(backend)
    ;(value.value() as { n: number }).n = 2
    value.update({ n: 3 })
    const restored = await open(await result)
    restored.setCurrentKey('a')
    expect(restored.state<ValueState<unknown>>(new ValueStateDescriptor('v')).value()).toEqual({ n: 1 })
  })
})
