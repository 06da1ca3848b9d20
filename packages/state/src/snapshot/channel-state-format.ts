import { crc32 } from 'node:zlib'
import { CorruptSnapshot, NewerFormat } from '../errors.ts'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import type { ChannelBatch, ChannelRecords, ChannelStateHandle, StateLocation } from './state-handle.ts'

/*
 * A file of channel state, version 1; integers are little-endian:
 *
 *   file  = 'FTCH' version:u32 batch*
 *   batch = bytes          columnar batch of serialization, which decodes alone
 *
 * The handles have place, size and checksum of each batch, and how many of its first records were processed before.
 */

/** Version that is written. A stored format: readers keep all earlier ones. */
export const CHANNEL_FORMAT_VERSION = 1
const MAGIC = 'FTCH'
const PREFIX_BYTES = 8

/** Records of one channel, in order, as they are to be stored. */
export interface CapturedBatch {
  readonly bytes: Uint8Array
  /** Records at its beginning that were processed before the snapshot. */
  readonly skip: number
}

/** Between which operators a channel is. */
export type ChannelName = Omit<ChannelRecords, 'batches'>

/**
 * Writes the batches of all channels of a task into `output` and closes it: one handle, or none if there are no batches.
 * Channels of one name become one.
 */
export async function writeChannelState(
  task: Pick<ChannelStateHandle, 'subtask' | 'parallelism'>,
  channels: readonly { readonly name: ChannelName; readonly batches: readonly CapturedBatch[] }[],
  output: BlobOutput,
): Promise<readonly ChannelStateHandle[]> {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32LE(CHANNEL_FORMAT_VERSION, 4)
  await output.write(prefix)
  const written = new Map<string, { name: ChannelName; batches: ChannelBatch[] }>()
  for (const { name, batches } of channels) {
    if (batches.length === 0) continue
    const key = JSON.stringify([name.input, name.source, name.outputTag])
    const places = written.get(key)?.batches ?? []
    written.set(key, { name, batches: places })
    for (const { bytes, skip } of batches) {
      places.push({ offset: output.position, sizeBytes: bytes.length, skip, crc: crc32(bytes) })
      await output.write(bytes)
    }
  }
  const location = await output.close()
  if (written.size === 0) return []
  return [
    { ...task, channels: [...written.values()].map(({ name, batches }) => ({ ...name, batches })), location },
  ]
}

/** Records of one channel name, each batch in memory of its own that begins at a multiple of 8. */
export interface StoredChannel {
  readonly name: ChannelName
  readonly batches: readonly { readonly bytes: Buffer; readonly skip: number }[]
}

/**
 * What a handle refers to. Throws `state.corrupt-snapshot`, `state.newer-format` and errors of the storage.
 */
export async function readChannelState(
  handle: ChannelStateHandle,
  storage: { read(location: StateLocation): Promise<Buffer> },
): Promise<readonly StoredChannel[]> {
  const { location } = handle
  const where = location.type === 'file' ? location.path : 'the metadata of the checkpoint'
  const file = await storage.read(location)
  if (file.length < PREFIX_BYTES || file.toString('latin1', 0, 4) !== MAGIC) {
    throw CorruptSnapshot({ where, reason: 'it does not begin as a file of channel state does' })
  }
  const version = file.readUInt32LE(4)
  if (version > CHANNEL_FORMAT_VERSION) throw NewerFormat({ where, version, newest: CHANNEL_FORMAT_VERSION })
  const read = ({ offset, sizeBytes, skip, crc }: ChannelBatch): { bytes: Buffer; skip: number } => {
    const found = file.subarray(offset, offset + sizeBytes)
    if (found.length !== sizeBytes || crc32(found) !== crc) {
      const reason = `the checksum of the ${sizeBytes} bytes at byte ${offset} is wrong`
      throw CorruptSnapshot({ where, reason })
    }
    const bytes = Buffer.allocUnsafeSlow(sizeBytes)
    found.copy(bytes)
    return { bytes, skip }
  }
  return handle.channels.map(({ batches, ...name }) => ({ name, batches: batches.map(read) }))
}

/** Bytes of the batches of a handle. */
export function channelStateSizeBytes({ channels }: Pick<ChannelStateHandle, 'channels'>): number {
  return channels.flatMap(({ batches }) => batches).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
