import { ValueWriter } from '@flink-ts/serialization'
import { KeyNotInRange } from '../errors.ts'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import { CHUNK_HEADER_BYTES, type SnapshotCompression, sealChunk } from './keyed-format.ts'

/** A key group's buffer is written as soon as it is this large. */
const CHUNK_BYTES = 64 * 1024
/** Above this sum of all buffers everything is written, small chunks too. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024
const FIRST_BUFFER_BYTES = 512
/** Of a key group that has filled a chunk: room for the entry that fills the next one. */
const NEXT_BUFFER_BYTES = CHUNK_BYTES + 4096

class GroupBuffer {
  readonly keyGroup: number
  readonly entries = new ValueWriter(FIRST_BUFFER_BYTES)
  lastOffset = -1

  constructor(keyGroup: number) {
    this.keyGroup = keyGroup
    this.entries.truncate(CHUNK_HEADER_BYTES)
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
    const group = this.#groupOf(hash, describeKey)
    const { entries } = group
    const before = entries.sizeBytes
    entries.writeLength(stateIndex)
    entries.writeRaw(namespace)
    entries.writeLength(key.length)
    entries.writeRaw(key)
    entries.writeLength(value.length)
    entries.writeRaw(value)
    this.#added(group, before)
  }

  /**
   * {@link KeyGroupWriter.add} of what is encoded in place: a third of its costs. Adds nothing if the value cannot be
   * encoded: throws what serialization throws.
   */
  addValue(
    stateIndex: number,
    namespace: Uint8Array,
    hash: number,
    key: unknown,
    value: unknown,
    describeKey: (key: unknown) => string,
  ): void {
    const keyGroup = hash % this.#maxParallelism
    const group = this.#groups[keyGroup - this.#start] ?? this.#groupOf(hash, () => describeKey(key))
    const { entries } = group
    const before = entries.sizeBytes
    try {
      entries.writeLength(stateIndex)
      entries.writeRaw(namespace)
      entries.writeSized(key)
      entries.writeSized(value)
    } catch (error) {
      entries.truncate(before)
      throw error
    }
    this.#added(group, before)
  }

  #groupOf(hash: number, describeKey: () => string): GroupBuffer {
    const keyGroup = hash % this.#maxParallelism
    if (keyGroup < this.#start || keyGroup > this.#end) {
      throw KeyNotInRange({ key: describeKey(), keyGroup, start: this.#start, end: this.#end })
    }
    const known = this.#groups[keyGroup - this.#start]
    if (known !== undefined) return known
    const group = new GroupBuffer(keyGroup)
    this.#groups[keyGroup - this.#start] = group
    return group
  }

  #added(group: GroupBuffer, before: number): void {
    const after = group.entries.sizeBytes
    this.#bufferedBytes += after - before
    if (before < CHUNK_BYTES && after >= CHUNK_BYTES) this.#full.push(group)
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
    const sizeBytes = group.entries.sizeBytes
    if (sizeBytes === CHUNK_HEADER_BYTES) return
    // Entries that are saved while the write is under way go into another buffer.
    const next = sizeBytes >= CHUNK_BYTES ? NEXT_BUFFER_BYTES : FIRST_BUFFER_BYTES
    const chunk = group.entries.take(next, CHUNK_HEADER_BYTES)
    const sealed = sealChunk(chunk, group.keyGroup, group.lastOffset, this.#compression)
    this.#bufferedBytes -= sizeBytes - CHUNK_HEADER_BYTES
    group.lastOffset = output.position
    await output.write(sealed)
  }
}
