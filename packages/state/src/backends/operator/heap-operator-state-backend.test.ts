import { expect, test } from 'vitest'
import type { OperatorStateBackend } from '../../api/keyed-state-backend.ts'
import { MapStateDescriptor } from '../../api/state-descriptor.ts'
import { redistributeOperatorState } from '../../keygroup/redistribute-operator-state.ts'
import { OPERATOR_FORMAT_VERSION } from '../../snapshot/operator-format.ts'
import type { OperatorStateHandle, StateLocation } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { createOperatorStateBackend } from './create-operator-state-backend.ts'

/** Keeps everything inline. */
const streams: CheckpointStreamFactory = {
  open: () => {
    const parts: Uint8Array[] = []
    return Promise.resolve({
      position: 0,
      write: (bytes: Uint8Array) => {
        parts.push(bytes)
        return Promise.resolve()
      },
      close: () =>
        Promise.resolve<StateLocation>({ type: 'inline', base64: Buffer.concat(parts).toString('base64') }),
      discard: () => Promise.resolve(),
    })
  },
}
const storage = {
  read: (location: StateLocation) =>
    Promise.resolve(Buffer.from(location.type === 'inline' ? location.base64 : '', 'base64')),
}
const open = (restored: readonly OperatorStateHandle[] = []): Promise<OperatorStateBackend> =>
  createOperatorStateBackend(restored, storage)

test('lists are as they were at the call, and come back at another parallelism', async () => {
  const old = await Promise.all(
    [0, 1, 2].map(async subtask => {
      const backend = await open()
      const splits = backend.listState<{ split: string }>('splits')
      for (let i = 0; i < 4; i++) splits.add({ split: `${subtask}/${i}` })
      backend.listState('union', 'union').update([subtask])
      backend.listState('empty')
      const result = backend.snapshot(1, streams)
      for (const element of splits.get()) (element as { split: string }).split = 'changed later'
      splits.clear()
      return result
    }),
  )
  const parts = redistributeOperatorState(old, 2)
  const backends = await Promise.all(parts.map(open))
  const all = backends.flatMap(b => b.listState<{ split: string }>('splits').get())
  expect(all.map(s => s.split)).toEqual([0, 1, 2].flatMap(s => [0, 1, 2, 3].map(i => `${s}/${i}`)))
  for (const b of backends) expect(b.listState('union', 'union').get()).toEqual([0, 1, 2])
  expect(backends[0]?.listState('splits').get()).toHaveLength(6)
})

test('what was handed out does not change, the same name is the same list', async () => {
  const backend = await open()
  const list = backend.listState<number>('l')
  const before = list.get()
  list.add(1)
  expect(before).toEqual([])
  expect(backend.listState('l').get()).toEqual([1])
  const given = [5]
  list.update(given)
  given.push(6)
  list.add(7)
  expect(list.get()).toEqual([5, 7])
})

test('lists that nobody asks for are written again, union lists marked', async () => {
  const backend = await open()
  backend.listState('s').add('x')
  backend.listState('u', 'union').add('y')
  const handles = await backend.snapshot(1, streams)
  const again = await (await open(handles)).snapshot(2, streams)
  expect(again[0]?.states.map(({ name, carried }) => [name, carried])).toEqual([
    ['s', undefined],
    ['u', true],
  ])
  const restored = await open(again)
  expect(restored.listState('s').get()).toEqual(['x'])
  expect(restored.listState('u', 'union').get()).toEqual(['y'])
})

test('a union list that is asked for while it is written again is not multiplied', async () => {
  const first = await open()
  first.listState('u', 'union').add('x')
  const handles = await first.snapshot(1, streams)
  const again = await Promise.all(
    [0, 1].map(async () => {
      const backend = await open(handles)
      const running = backend.snapshot(2, streams)
      backend.listState('u', 'union')
      return running
    }),
  )
  const [part] = redistributeOperatorState(again, 1)
  expect((await open(part)).listState('u', 'union').get()).toEqual(['x'])
})

test('nothing to store writes no file', async () => {
  const backend = await open()
  backend.listState('l')
  expect(await backend.snapshot(1, streams)).toEqual([])
})

test('another mode, damaged and newer files are refused', async () => {
  const backend = await open()
  backend.listState('l').add('text')
  expect(() => backend.listState('l', 'union')).toThrow(
    expect.objectContaining({ code: 'state.list-mode-mismatch' }),
  )
  const [handle] = (await backend.snapshot(1, streams)) as [OperatorStateHandle]
  const restored = await open([handle])
  expect(() => restored.listState('l', 'union')).toThrow(
    expect.objectContaining({ code: 'state.list-mode-mismatch' }),
  )
  const bytes = await storage.read(handle.location)
  const reopen = (content: Buffer): Promise<unknown> =>
    open([{ ...handle, location: { type: 'inline', base64: content.toString('base64') } }])
  for (let length = 0; length < bytes.length; length += 3) {
    await expect(reopen(bytes.subarray(0, length))).rejects.toMatchObject({ code: 'state.corrupt-snapshot' })
  }
  const newer = Buffer.from(bytes)
  newer.writeUInt32LE(OPERATOR_FORMAT_VERSION + 1, 4)
  await expect(reopen(newer)).rejects.toMatchObject({ code: 'state.newer-format' })
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] as number) ^ 0x10
    await expect(reopen(damaged)).rejects.toMatchObject({
      code: expect.stringMatching(/^state\.(corrupt-snapshot|newer-format)$/),
    })
  }
})

test('broadcast maps: one copy for each subtask, at any parallelism, and kept if nobody asks', async () => {
  const descriptor = new MapStateDescriptor<unknown, { rule: number }>('rules')
  const old: OperatorStateHandle[][] = []
  for (let subtask = 0; subtask < 2; subtask++) {
    const backend = await open()
    const rules = backend.broadcastState(descriptor)
    rules.put(['a', 1], { rule: 0 })
    rules.putAll([
      ['gone', { rule: -1 }],
      [['a', 1], { rule: 1 }],
    ])
    rules.remove('gone')
    rules.put('from', { rule: subtask })
    expect(() => backend.listState('rules')).toThrow(/'broadcast'.*'split'/)
    old.push([...(await backend.snapshot(1, streams))])
  }
  for (const parallelism of [1, 2, 3]) {
    for (const [subtask, handles] of redistributeOperatorState(old, parallelism).entries()) {
      const unclaimed = await open(handles)
      const restored = await open(await unclaimed.snapshot(2, streams))
      const rules = restored.broadcastState(descriptor)
      expect([...rules.immutableEntries()]).toEqual([
        [['a', 1], { rule: 1 }],
        ['from', { rule: subtask % 2 }],
      ])
      expect([rules.get(['a', 1]), rules.contains('gone')]).toEqual([{ rule: 1 }, false])
      rules.clear()
      expect([...rules.entries()]).toEqual([])
      expect(await restored.snapshot(3, streams)).toEqual([])
    }
  }
})
