import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { StateDescriptor } from '../api/state-descriptor.ts'
import type { TtlTime } from '../api/state-ttl-config.ts'
import { CorruptSnapshot, NewerFormat } from '../errors.ts'
import { EntryCursor } from './entry-cursor.ts'

/*
 * A keyed state file, version 2; integers are little-endian, varints are unsigned LEB128:
 *
 *   file   = 'FTKS' version:u32 headerLength:u32 crc:u32 header:JSON chunk*          crc: of the header
 *   chunk  = bodyLength:u32 keyGroup:u32 previous:f64 rawLength:u32 crc:u32 body
 *            previous: offset of the key group's chunk before; -1. rawLength: of the body before compression, 0: it is
 *            not compressed. crc: of the chunk but for the crc
 *   body   = entry*                               compressed as a whole with the header's `compression`
 *   entry  = state:varint namespace key value     state: index in the header's `states`
 *   namespace = 0 | 1 f64 | 2 length:varint UTF-8 | 3 length:varint UTF-16
 *   key, value = length:varint bytes              bytes: the tagged value format of serialization
 *
 * Of states of kind `map` there is an entry for each entry of each map, its value [key of the map, value]; of kind
 * `list` one for each piece of each list, its value [index of the piece, [elements]], in any order. With `ttl`, values
 * (of maps and lists: values and elements) are [time, value]. The value of an entry that was removed since the file that
 * a delta follows is of no bytes.
 *
 * The handle has the offset of the last chunk of each key group. A file can also be read from front to back.
 * Version 1 has no crc, no rawLength and no compression.
 */

/** Version that is written. A stored format: readers keep all earlier ones. */
export const KEYED_FORMAT_VERSION = 2
const MAGIC = 'FTKS'
/** Of the chunks that are written. */
export const CHUNK_HEADER_BYTES = 24
const CRC_AT = 20
/** Larger announcements are damage, not data: a chunk is one entry or about 64 KB. */
const MAX_RAW_BYTES = 2 ** 31

/** What a keyed state file says about itself. */
export interface KeyedSnapshotHeader {
  readonly maxParallelism: number
  /** Inclusive. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  /** Of chunk bodies; absent: none. */
  readonly compression?: SnapshotCompression
  readonly states: readonly StoredState[]
}

/** A state in a file. `timers`: entries of a participant; their values are times. */
export interface StoredState {
  readonly name: string
  readonly kind: StateDescriptor<unknown>['kind'] | 'timers'
  /** Values have times, of this clock. */
  readonly ttl?: TtlTime
}

/** How the chunks of a state file are compressed. */
export type SnapshotCompression = 'none' | 'zstd'

/** One entry as stored; key and value still encoded, so that tools can skip what they do not need. */
export interface StoredEntry {
  readonly stateIndex: number
  readonly namespace: string | number | undefined
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Prefix and header of a file. */
export function encodeHeader(header: KeyedSnapshotHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(16)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32LE(KEYED_FORMAT_VERSION, 4)
  prefix.writeUInt32LE(json.length, 8)
  prefix.writeUInt32LE(crc32(json), 12)
  return Buffer.concat([prefix, json])
}

/** A header that was read, and where the chunks begin. */
export interface DecodedHeader {
  readonly version: number
  readonly header: KeyedSnapshotHeader
  readonly endOffset: number
  readonly chunkHeaderBytes: number
}

/** Reads prefix and header from the front of a file; `need` bytes are missing if the part given is too short. */
export function decodeHeader(bytes: Buffer, where: string): DecodedHeader | { need: number } {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== MAGIC) {
    throw CorruptSnapshot({ where, reason: 'it does not begin as a file of keyed state does' })
  }
  const version = bytes.readUInt32LE(4)
  if (version > KEYED_FORMAT_VERSION) {
    throw NewerFormat({ where, version, newest: KEYED_FORMAT_VERSION })
  }
  const prefixBytes = version === 1 ? 12 : 16
  const endOffset = prefixBytes + bytes.readUInt32LE(8)
  if (bytes.length < endOffset) return { need: endOffset }
  const json = bytes.subarray(prefixBytes, endOffset)
  if (version > 1 && crc32(json) !== bytes.readUInt32LE(12)) {
    throw CorruptSnapshot({ where, reason: 'the checksum of its header is wrong' })
  }
  try {
    const header = JSON.parse(json.toString('utf8')) as KeyedSnapshotHeader
    return { version, header, endOffset, chunkHeaderBytes: version === 1 ? 16 : CHUNK_HEADER_BYTES }
  } catch (error) {
    throw CorruptSnapshot({ where, reason: 'its header is damaged' }, error)
  }
}

/**
 * Completes a chunk: `chunk` has {@link CHUNK_HEADER_BYTES} of room in front of its entries. Returns the bytes to be
 * written, which may be other ones.
 */
export function sealChunk(
  chunk: Buffer,
  keyGroup: number,
  previous: number,
  compression: SnapshotCompression,
): Buffer {
  let sealed = chunk
  let rawLength = 0
  if (compression === 'zstd') {
    const raw = chunk.subarray(CHUNK_HEADER_BYTES)
    const compressed = zstdCompressSync(raw)
    if (compressed.length < raw.length) {
      rawLength = raw.length
      sealed = Buffer.concat([chunk.subarray(0, CHUNK_HEADER_BYTES), compressed])
    }
  }
  sealed.writeUInt32LE(sealed.length - CHUNK_HEADER_BYTES, 0)
  sealed.writeUInt32LE(keyGroup, 4)
  sealed.writeDoubleLE(previous, 8)
  sealed.writeUInt32LE(rawLength, 16)
  sealed.writeUInt32LE(chunkCrc(sealed), CRC_AT)
  return sealed
}

/** Checks a whole chunk of a file that is not of version 1, and gives its entries. Throws `state.corrupt-snapshot`. */
export function openChunk(chunk: Buffer, header: KeyedSnapshotHeader, where: string, offset: number): Buffer {
  if (chunkCrc(chunk) !== chunk.readUInt32LE(CRC_AT)) {
    const reason = `the checksum of the ${chunk.length} bytes at byte ${offset} is wrong`
    throw CorruptSnapshot({ where, reason })
  }
  const body = chunk.subarray(CHUNK_HEADER_BYTES)
  const rawLength = chunk.readUInt32LE(16)
  if (rawLength === 0) return body
  if (header.compression !== 'zstd') {
    const reason = `it is compressed by '${header.compression ?? 'none'}', which this version does not know`
    throw CorruptSnapshot({ where, reason })
  }
  return zstdDecompressSync(body, { maxOutputLength: Math.min(rawLength, MAX_RAW_BYTES) })
}

function chunkCrc(chunk: Buffer): number {
  return crc32(chunk.subarray(CHUNK_HEADER_BYTES), crc32(chunk.subarray(0, CRC_AT)))
}

/** A namespace as stored. */
export function encodeNamespace(namespace: string | number | undefined): Uint8Array {
  if (namespace === undefined) return Uint8Array.of(0)
  if (typeof namespace === 'number') {
    const bytes = Buffer.alloc(9)
    bytes[0] = 1
    bytes.writeDoubleLE(namespace, 1)
    return bytes
  }
  const wellFormed = namespace.isWellFormed()
  const text = Buffer.from(namespace, wellFormed ? 'utf8' : 'utf16le')
  return Buffer.concat([Buffer.of(wellFormed ? 2 : 3), varint(text.length), text])
}

/** The entries of a chunk's body. Throws `state.corrupt-snapshot`. */
export function* decodeEntries(body: Buffer, where: string): Iterable<StoredEntry> {
  const cursor = new EntryCursor(body, where)
  while (cursor.next()) {
    const { stateIndex, namespace, keyStart, keyEnd, valueStart, valueEnd } = cursor
    const key = body.subarray(keyStart, keyEnd)
    yield { stateIndex, namespace, key, value: body.subarray(valueStart, valueEnd) }
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
