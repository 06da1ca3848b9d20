import { expect, test } from 'vitest'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import {
  CHANNEL_FORMAT_VERSION,
  channelStateSizeBytes,
  readChannelState,
  writeChannelState,
} from './channel-state-format.ts'
import type { ChannelStateHandle, StateLocation } from './state-handle.ts'

function inlineOutput(): BlobOutput {
  const parts: Uint8Array[] = []
  return {
    get position() {
      return parts.reduce((sum, part) => sum + part.length, 0)
    },
    write: async bytes => {
      parts.push(Buffer.from(bytes))
    },
    close: async () => ({ type: 'inline', base64: Buffer.concat(parts).toString('base64') }),
    discard: async () => {},
  }
}
const storage = {
  read: async (location: StateLocation) =>
    Buffer.from(location.type === 'inline' ? location.base64 : '', 'base64'),
}
const name = (letter: string) => ({ input: 0, source: letter.repeat(32) as never })
const write = () =>
  writeChannelState(
    { subtask: 1, parallelism: 3 },
    [
      {
        name: name('a'),
        batches: [
          { bytes: Buffer.from('first batch'), skip: 3 },
          { bytes: Buffer.from('second'), skip: 0 },
        ],
      },
      { name: name('b'), batches: [] },
      { name: { ...name('a'), outputTag: 'late' }, batches: [{ bytes: Buffer.from('side'), skip: 0 }] },
      { name: name('a'), batches: [{ bytes: Buffer.from('other channel'), skip: 0 }] },
    ],
    inlineOutput(),
  )

test('batches come back by source, in memory of their own; empty channels leave no trace', async () => {
  const [handle] = (await write()) as [ChannelStateHandle]
  expect(handle).toMatchObject({ subtask: 1, parallelism: 3 })
  expect(channelStateSizeBytes(handle)).toBe(34)
  const [main, side, ...others] = await readChannelState(handle, storage)
  expect(others).toEqual([])
  expect([main?.name, side?.name]).toEqual([name('a'), { ...name('a'), outputTag: 'late' }])
  expect(main?.batches.map(({ bytes, skip }) => [bytes.toString(), skip])).toEqual([
    ['first batch', 3],
    ['second', 0],
    ['other channel', 0],
  ])
  for (const { bytes } of main?.batches ?? []) expect(bytes.byteOffset % 8).toBe(0)
  expect(await writeChannelState({ subtask: 0, parallelism: 1 }, [], inlineOutput())).toEqual([])
})

test('damage, other files and later versions are refused', async () => {
  const [handle] = (await write()) as [ChannelStateHandle]
  const read = (change: (file: Buffer) => Buffer) =>
    readChannelState(handle, { read: async location => change(await storage.read(location)) })
  const flip = (at: number) => (file: Buffer) => {
    file[at] = (file[at] as number) ^ 1
    return file
  }
  const coded = (code: string): unknown => expect.objectContaining({ code })
  await expect(read(flip(10))).rejects.toEqual(coded('state.corrupt-snapshot'))
  await expect(read(flip(0))).rejects.toEqual(coded('state.corrupt-snapshot'))
  await expect(read(file => file.subarray(0, 12))).rejects.toEqual(coded('state.corrupt-snapshot'))
  await expect(read(flip(5))).rejects.toEqual(coded('state.newer-format'))
})

test('the format of version 1 is read for ever', async () => {
  // Another content must come with a new version, and this test stays.
  expect(CHANNEL_FORMAT_VERSION).toBe(1)
  const base64 = 'RlRDSAEAAABmaXJzdCBiYXRjaHNlY29uZHNpZGVvdGhlciBjaGFubmVs'
  const [handle] = await write()
  expect(handle?.location).toEqual({ type: 'inline', base64 })
})
