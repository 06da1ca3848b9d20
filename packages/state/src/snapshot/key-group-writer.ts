import { KeyNotInRange } from '../errors.ts'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import { CHUNK_HEADER_BYTES, type SnapshotCompression, sealChunk } from './keyed-format.ts'

/** A key group's buffer is written as soon as it is this large. */
const CHUNK_BYTES = 64 * 1024
/** Above this sum of all buffers everything is written, small chunks too. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024
const FIRST_BUFFER_BYTES = 512

class GroupBuffer {
  readonly keyGroup: number
  bytes: Buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
  length = CHUNK_HEADER_BYTES
  lastOffset = -1

  constructor(keyGroup: number) {
    this.keyGroup = keyGroup
  }
}

/**
 * Sorts entries into key groups and writes them in chunks, so that a snapshot of any size needs a bounded buffer.
 * {@link KeyGroupWriter.add} may be called while a write is under way. Owner: one snapshot.
 */
export class KeyGroupWriter {
  readonly #start: number
  readonly #end: number
  readonly #maxParallelism: number
  readonly #compression: SnapshotCompression
  readonly #groups: (GroupBuffer | undefined)[]
  #full: GroupBuffer[] = []
  #bufferedBytes = 0

  constructor(options: {
    keyGroupRange: { start: number; end: number }
    maxParallelism: number
    compression: SnapshotCompression
  }) {
    this.#start = options.keyGroupRange.start
    this.#end = options.keyGroupRange.end
    this.#maxParallelism = options.maxParallelism
    this.#compression = options.compression
    this.#groups = new Array(this.#end - this.#start + 1).fill(undefined)
  }

  /** Whether {@link KeyGroupWriter.write} has something to do. */
  get due(): boolean {
    return this.#full.length > 0 || this.#bufferedBytes > MAX_BUFFERED_BYTES
  }

  /**
   * Adds one entry; the bytes are copied.
   * @param describeKey the key in words, for the error `state.key-not-in-range`
   */
  add(
    stateIndex: number,
    namespace: Uint8Array,
    hash: number,
    key: Uint8Array,
    value: Uint8Array,
    describeKey: () => string,
  ): void {
    const keyGroup = hash % this.#maxParallelism
    if (keyGroup < this.#start || keyGroup > this.#end) {
      throw KeyNotInRange({ key: describeKey(), keyGroup, start: this.#start, end: this.#end })
    }
    let group = this.#groups[keyGroup - this.#start]
    if (group === undefined) {
      group = new GroupBuffer(keyGroup)
      this.#groups[keyGroup - this.#start] = group
    }
    const before = group.length
    // Three varints take at most five bytes each.
    reserve(group, 15 + namespace.length + key.length + value.length)
    writeVarint(group, stateIndex)
    writeBytes(group, namespace)
    writeVarint(group, key.length)
    writeBytes(group, key)
    writeVarint(group, value.length)
    writeBytes(group, value)
    this.#bufferedBytes += group.length - before
    if (before < CHUNK_BYTES && group.length >= CHUNK_BYTES) this.#full.push(group)
  }

  /** Writes what is {@link KeyGroupWriter.due}. */
  async write(output: BlobOutput): Promise<void> {
    if (this.#bufferedBytes > MAX_BUFFERED_BYTES) await this.#writeAll(output)
    else await this.#writeFull(output)
  }

  /** Writes the rest; returns the offset of the last chunk of each key group of the range, -1 for none. */
  async finish(output: BlobOutput): Promise<number[]> {
    await this.#writeAll(output)
    return this.#groups.map(group => group?.lastOffset ?? -1)
  }

  async #writeAll(output: BlobOutput): Promise<void> {
    this.#full = []
    for (const group of this.#groups) if (group !== undefined) await this.#writeChunk(group, output)
  }

  async #writeFull(output: BlobOutput): Promise<void> {
    const full = this.#full
    this.#full = []
    for (const group of full) await this.#writeChunk(group, output)
  }

  async #writeChunk(group: GroupBuffer, output: BlobOutput): Promise<void> {
    if (group.length === CHUNK_HEADER_BYTES) return
    const chunk = group.bytes.subarray(0, group.length)
    const sealed = sealChunk(chunk, group.keyGroup, group.lastOffset, this.#compression)
    this.#bufferedBytes -= group.length - CHUNK_HEADER_BYTES
    // Entries that are saved while the write is under way go into another buffer.
    group.bytes = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    group.length = CHUNK_HEADER_BYTES
    group.lastOffset = output.position
    await output.write(sealed)
  }
}

function reserve(group: GroupBuffer, sizeBytes: number): void {
  const needed = group.length + sizeBytes
  if (needed <= group.bytes.length) return
  const bytes = Buffer.allocUnsafe(Math.max(needed, group.bytes.length * 2))
  group.bytes.copy(bytes, 0, 0, group.length)
  group.bytes = bytes
}

function writeVarint(group: GroupBuffer, value: number): void {
  let rest = value
  while (rest > 127) {
    group.bytes[group.length++] = (rest & 127) | 128
    rest >>>= 7
  }
  group.bytes[group.length++] = rest
}

function writeBytes(group: GroupBuffer, bytes: Uint8Array): void {
  if (bytes.length < 24) {
    // Cheaper than a native call.
    for (let i = 0; i < bytes.length; i++) group.bytes[group.length + i] = bytes[i] as number
  } else group.bytes.set(bytes, group.length)
  group.length += bytes.length
}
