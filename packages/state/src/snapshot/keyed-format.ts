import type { StateDescriptor } from '../api/state-descriptor.ts'
import { CorruptSnapshot, NewerFormat } from '../errors.ts'

/*
 * A keyed state file, version 1; integers are little-endian, varints are unsigned LEB128:
 *
 *   file   = 'FTKS' version:u32 headerLength:u32 header:JSON chunk*
 *   chunk  = bodyLength:u32 keyGroup:u32 previous:f64 entry*      previous: offset of the key group's chunk before; -1
 *   entry  = state:varint namespace key value                     state: index in the header's `states`
 *   namespace = 0 | 1 f64 | 2 length:varint UTF-8 | 3 length:varint UTF-16
 *   key, value = length:varint bytes                              bytes: the tagged value format of serialization
 *
 * The handle has the offset of the last chunk of each key group. A file can also be read from front to back.
 */

/** Version that is written. A stored format: readers keep all earlier ones. */
export const KEYED_FORMAT_VERSION = 1
export const CHUNK_HEADER_BYTES = 16
const MAGIC = 'FTKS'
const PREFIX_BYTES = 12

/** What a keyed state file says about itself. */
export interface KeyedSnapshotHeader {
  readonly maxParallelism: number
  /** Inclusive. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  /** `timers`: entries of a participant; their values are times. */
  readonly states: readonly {
    readonly name: string
    readonly kind: StateDescriptor<unknown>['kind'] | 'timers'
  }[]
}

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
  const bytes = Buffer.alloc(PREFIX_BYTES + json.length)
  bytes.write(MAGIC, 'latin1')
  bytes.writeUInt32LE(KEYED_FORMAT_VERSION, 4)
  bytes.writeUInt32LE(json.length, 8)
  json.copy(bytes, PREFIX_BYTES)
  return bytes
}

/** Reads prefix and header from the front of a file; `need` bytes are missing if the part given is too short. */
export function decodeHeader(
  bytes: Buffer,
  where: string,
): { header: KeyedSnapshotHeader; endOffset: number } | { need: number } {
  if (bytes.length < PREFIX_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC) {
    throw CorruptSnapshot({ where, reason: 'it does not begin as a file of keyed state does' })
  }
  const version = bytes.readUInt32LE(4)
  if (version > KEYED_FORMAT_VERSION) {
    throw NewerFormat({ where, version, newest: KEYED_FORMAT_VERSION })
  }
  const endOffset = PREFIX_BYTES + bytes.readUInt32LE(8)
  if (bytes.length < endOffset) return { need: endOffset }
  try {
    const header = JSON.parse(bytes.toString('utf8', PREFIX_BYTES, endOffset)) as KeyedSnapshotHeader
    return { header, endOffset }
  } catch (error) {
    throw CorruptSnapshot({ where, reason: 'its header is damaged' }, error)
  }
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
  let position = 0
  const take = (length: number): number => {
    const start = position
    if (length > body.length - start) throw CorruptSnapshot({ where, reason: 'an entry is cut off' })
    position += length
    return start
  }
  const length = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = body[take(1)] as number
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const bytes = (): Buffer => {
    const size = length()
    const start = take(size)
    return body.subarray(start, start + size)
  }
  const namespace = (): string | number | undefined => {
    const tag = body[take(1)]
    if (tag === 0) return undefined
    if (tag === 1) return body.readDoubleLE(take(8))
    if (tag === 2) return bytes().toString('utf8')
    if (tag === 3) return bytes().toString('utf16le')
    throw CorruptSnapshot({ where, reason: `an entry has a namespace of unknown type ${tag}` })
  }
  while (position < body.length) {
    const stateIndex = length()
    yield { stateIndex, namespace: namespace(), key: bytes(), value: bytes() }
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
