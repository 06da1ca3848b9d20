import { CorruptSnapshot } from '../errors.ts'
import { EntryCursor } from './entry-cursor.ts'
import {
  type DecodedHeader,
  decodeEntries,
  decodeHeader,
  type KeyedSnapshotHeader,
  openChunk,
  type StoredEntry,
} from './keyed-format.ts'
import { type KeyedStateHandle, locationSizeBytes, type StateLocation } from './state-handle.ts'

const HEAD_BYTES = 64 * 1024
const CHUNK_READ_BYTES = 80 * 1024
const BLOCK_BYTES = 1024 * 1024

/** What reading state needs of a {@link CheckpointStorage}. */
export interface StateReader {
  /** Bytes `[start, end)`. */
  readRange(location: StateLocation, start: number, end: number): Promise<Buffer>
}

/** Some entries of one key group; one key group may come in several of these. */
export interface KeyGroupChunk {
  readonly header: KeyedSnapshotHeader
  readonly keyGroup: number
  /** Valid until the next chunk is asked for. Throws `state.corrupt-snapshot`. */
  entries(): Iterable<StoredEntry>
  /** The same for those who read many. Absent: the entries are not in one piece. */
  cursor?(): EntryCursor
}

/** A handle that reading needs nothing else for: see `LinkedHandles`. */
export interface ReadableHandle extends KeyedStateHandle {
  /** What it has beside its own file. */
  readonly store?: {
    chunks(
      header: KeyedSnapshotHeader,
      range: { readonly start: number; readonly end: number },
    ): AsyncIterable<KeyGroupChunk>
  }
}

/**
 * Reads the key groups of a handle that are in `range` (both ends inclusive), in no particular order, and nothing
 * else: by offset if only a small part is wanted, from front to back otherwise. Needs no user code.
 * Throws `state.corrupt-snapshot`, `state.newer-format` and errors of the storage.
 */
export async function* readKeyGroups(
  handle: ReadableHandle,
  range: { readonly start: number; readonly end: number },
  storage: StateReader,
): AsyncIterable<KeyGroupChunk> {
  if (handle.storeFile !== undefined) return
  if (handle.storeFiles !== undefined && handle.store === undefined) {
    const reason = 'its files of RocksDB are handles of their own: readers get them by LinkedHandles'
    throw CorruptSnapshot({ where: 'the handle of a store', reason })
  }
  const first = Math.max(handle.keyGroupRange.start, range.start)
  const last = Math.min(handle.keyGroupRange.end, range.end)
  if (handle.store !== undefined && first <= last) {
    const { header } = await new KeyedFile(handle, storage).open()
    yield* handle.store.chunks(header, { start: first, end: last })
  }
  const wanted: number[] = []
  for (let keyGroup = first; keyGroup <= last; keyGroup++) {
    const offset = handle.offsets[keyGroup - handle.keyGroupRange.start] ?? -1
    if (offset >= 0) wanted.push(offset)
  }
  if (wanted.length === 0) return
  const file = new KeyedFile(handle, storage)
  const { endOffset } = await file.open()
  // A read for each chunk costs more than what else is in the file, unless that is most of it.
  if (wanted.length * 2 >= handle.offsets.filter(offset => offset >= 0).length) {
    const lastChunks = new Set(wanted)
    const isWanted = (keyGroup: number): boolean => keyGroup >= first && keyGroup <= last
    for (let offset = endOffset; offset < file.sizeBytes; ) {
      lastChunks.delete(offset)
      const chunk = await file.chunk(offset, BLOCK_BYTES, isWanted)
      if (chunk.body !== undefined) yield file.entriesOf(chunk.keyGroup, chunk.body)
      offset = chunk.endOffset
    }
    if (lastChunks.size > 0) {
      throw CorruptSnapshot({
        where: file.where,
        reason: `the chunks at ${[...lastChunks].join(', ')} are missing`,
      })
    }
    return
  }
  for (let keyGroup = first; keyGroup <= last; keyGroup++) {
    let offset = handle.offsets[keyGroup - handle.keyGroupRange.start] ?? -1
    while (offset >= 0) {
      const chunk = await file.chunk(offset, CHUNK_READ_BYTES, group => group === keyGroup)
      // Always backwards: damaged files must not lead in circles.
      if (chunk.body === undefined || chunk.previous >= offset) {
        throw CorruptSnapshot({
          where: file.where,
          reason: `there is no chunk of key group ${keyGroup} at ${offset}`,
        })
      }
      yield file.entriesOf(keyGroup, chunk.body)
      offset = chunk.previous
    }
  }
}

/** What a handle's file says about itself. Throws as {@link readKeyGroups} does. */
export async function readHeader(
  handle: KeyedStateHandle,
  storage: StateReader,
): Promise<KeyedSnapshotHeader> {
  return (await new KeyedFile(handle, storage).open()).header
}

interface Chunk {
  readonly keyGroup: number
  readonly previous: number
  /** Undefined: of a key group that is not wanted. */
  readonly body: Buffer | undefined
  readonly endOffset: number
}

/** One file of keyed state, read through a block that is kept. */
class KeyedFile {
  readonly where: string
  readonly sizeBytes: number
  readonly #handle: KeyedStateHandle
  readonly #storage: StateReader
  #header: DecodedHeader | undefined
  #block: Buffer = Buffer.alloc(0)
  #blockOffset = 0

  constructor(handle: KeyedStateHandle, storage: StateReader) {
    this.#handle = handle
    this.#storage = storage
    this.where = handle.location.type === 'file' ? handle.location.path : 'the metadata of the checkpoint'
    this.sizeBytes = locationSizeBytes(handle.location)
  }

  /** To be called first. */
  async open(): Promise<DecodedHeader> {
    const head = await this.#read(0, Math.min(HEAD_BYTES, this.sizeBytes), HEAD_BYTES)
    let result = decodeHeader(head, this.where)
    if ('need' in result) {
      result = decodeHeader(await this.#read(0, result.need, result.need), this.where)
      if ('need' in result) throw CorruptSnapshot({ where: this.where, reason: 'its header is cut off' })
    }
    this.#header = result
    return result
  }

  entriesOf(keyGroup: number, body: Buffer): KeyGroupChunk {
    const { header } = this.#header as DecodedHeader
    return {
      header,
      keyGroup,
      entries: () => decodeEntries(body, this.where),
      cursor: () => new EntryCursor(body, this.where),
    }
  }

  async chunk(offset: number, readAhead: number, isWanted: (keyGroup: number) => boolean): Promise<Chunk> {
    const { version, header, chunkHeaderBytes } = this.#header as DecodedHeader
    const head = await this.#read(offset, chunkHeaderBytes, readAhead)
    const length = head.readUInt32LE(0)
    const keyGroup = head.readUInt32LE(4)
    const { start, end } = this.#handle.keyGroupRange
    if (keyGroup < start || keyGroup > end) {
      throw CorruptSnapshot({ where: this.where, reason: `there is no chunk at byte ${offset}` })
    }
    const previous = head.readDoubleLE(8)
    const sizeBytes = chunkHeaderBytes + length
    const endOffset = offset + sizeBytes
    if (!isWanted(keyGroup)) return { keyGroup, previous, body: undefined, endOffset }
    const chunk = await this.#read(offset, sizeBytes, sizeBytes)
    const body =
      version === 1 ? chunk.subarray(chunkHeaderBytes) : openChunk(chunk, header, this.where, offset)
    return { keyGroup, previous, body, endOffset }
  }

  /** Exactly `length` bytes, from the block that is kept or a new one of `readAhead` bytes. */
  async #read(offset: number, length: number, readAhead: number): Promise<Buffer> {
    if (offset < 0 || offset + length > this.sizeBytes) {
      throw CorruptSnapshot({
        where: this.where,
        reason: `it should reach to byte ${offset + length} but has ${this.sizeBytes} bytes`,
      })
    }
    if (offset < this.#blockOffset || offset + length > this.#blockOffset + this.#block.length) {
      const end = Math.min(this.sizeBytes, offset + Math.max(length, readAhead))
      this.#block = await this.#storage.readRange(this.#handle.location, offset, end)
      this.#blockOffset = offset
      if (this.#block.length < length) {
        throw CorruptSnapshot({ where: this.where, reason: `it ends at byte ${offset + this.#block.length}` })
      }
    }
    const start = offset - this.#blockOffset
    return this.#block.subarray(start, start + length)
  }
}
