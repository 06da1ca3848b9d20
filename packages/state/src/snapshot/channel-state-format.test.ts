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
const name = (subtask: number) => ({ input: 0, source: 'a'.repeat(32) as never, subtask, parallelism: 3 })
const write = () =>
  writeChannelState(
    [
      {
        name: name(0),
        batches: [
          { bytes: Buffer.from('first batch'), skip: 3 },
          { bytes: Buffer.from('second'), skip: 0 },
        ],
      },
      { name: name(1), batches: [] },
      { name: name(2), batches: [{ bytes: Buffer.from('other channel'), skip: 0 }] },
    ],
    inlineOutput(),
  )

test('the batches of each channel come back, in memory of their own; empty channels leave no trace', async () => {
  const handles = await write()
  expect(handles.map(({ subtask }) => subtask)).toEqual([0, 2])
  const [first, second] = await readChannelState(handles[0] as ChannelStateHandle, storage)
  expect([first?.bytes.toString(), first?.skip]).toEqual(['first batch', 3])
  expect([second?.bytes.toString(), second?.skip]).toEqual(['second', 0])
  expect((second?.bytes.byteOffset as number) % 8).toBe(0)
  expect(channelStateSizeBytes(handles[1] as ChannelStateHandle)).toBe(13)
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
  const base64 = 'RlRDSAEAAABmaXJzdCBiYXRjaHNlY29uZG90aGVyIGNoYW5uZWw='
  const [handle] = await write()
  expect(handle?.location).toEqual({ type: 'inline', base64 })
})
