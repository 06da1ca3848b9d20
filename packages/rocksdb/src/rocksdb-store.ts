import { StoreFailed, StoreMisused } from './errors.ts'
import {
  loadRocksDbAddon,
  type RocksDbAddon,
  type RocksDbMemory,
  type RocksDbOptions,
} from './rocksdb-addon.ts'
import type { StoreBatch } from './store-batch.ts'

/** Room for values behind the key in the buffer of `get`, at first. */
const SCRATCH_BYTES = 64 * 1024
const KEY_BYTES = 4 * 1024
const SCAN_BYTES = 64 * 1024

/** One entry of a scan. Both are parts of a buffer that the next scan of the store overwrites. */
export interface ScannedEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What a scan reads. */
export interface ScanRange {
  /** Inclusive. */
  readonly lower: Uint8Array
  /** Exclusive. */
  readonly upper: Uint8Array
  /** Entries at most; as many as fit into a buffer if absent. */
  readonly limit?: number
  /** From {@link RocksDbStore.takeSnapshot}; absent: as of now. */
  readonly snapshot?: number
}

/**
 * One RocksDB database without a write-ahead log. Keys are ordered by their bytes. All calls are synchronous and throw
 * `rocksdb.store-failed` or `rocksdb.store-misused`. Owner: one thread; a store that is still open when the thread ends is
 * closed then, and a temporary one is removed.
 */
export class RocksDbStore {
  readonly directory: string
  readonly #addon: RocksDbAddon
  readonly #store: number
  /** Keys at its start, values from `#valueOffset` on. */
  #scratch: Uint8Array
  #valueOffset = KEY_BYTES
  #target = new Uint8Array(SCAN_BYTES)
  /** Of a write: what it should have written is in no place, so nothing that is read from then on would be true. */
  #failure: unknown

  private constructor(directory: string, addon: RocksDbAddon, store: number) {
    this.directory = directory
    this.#addon = addon
    this.#store = store
    this.#scratch = new Uint8Array(addon.scratch(store, KEY_BYTES + SCRATCH_BYTES))
  }

  /**
   * Opens the store in a folder, which is made if there is none.
   * @param temporary remove the folder when the store is closed
   * @throws rocksdb.not-installed, rocksdb.store-failed
   */
  static open(directory: string, options: Partial<RocksDbOptions>, temporary: boolean): RocksDbStore {
    const addon = loadRocksDbAddon()
    try {
      const store = addon.open(directory, { ...options, temporary: temporary ? 1 : 0 })
      return new RocksDbStore(directory, addon, store)
    } catch (error) {
      throw storeError('open', directory, error)
    }
  }

  /** Of all stores of this process. */
  memory(): RocksDbMemory {
    return this.#addon.memory()
  }

  /** Where {@link RocksDbStore.get} expects its key: at least so many bytes from the start on. */
  keyBuffer(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.#valueOffset) this.#resize(sizeBytes, this.#scratch.length - this.#valueOffset)
    return this.#scratch
  }

  /** The value of the key that the first bytes of {@link RocksDbStore.keyBuffer} are; valid until the next call. */
  get(keyLength: number): Uint8Array | undefined {
    let size = this.#get(keyLength)
    if (size < -1) {
      this.#resize(this.#valueOffset, -2 - size)
      size = this.#get(keyLength)
    }
    if (size < 0) return undefined
    return this.#scratch.subarray(this.#valueOffset, this.#valueOffset + size)
  }

  /** Writes the operations of a batch and empties it. After a write that failed all calls but `close` fail. */
  write(batch: StoreBatch): void {
    if (batch.sizeBytes === 0) return
    this.#check()
    try {
      this.#addon.write(this.#store, batch.bytes, batch.sizeBytes)
    } catch (error) {
      this.#failure = storeError('write', this.directory, error)
      throw this.#failure
    }
    batch.clear()
  }

  /** The first entries of a range, in order; fewer than the limit does not mean that there are no more, none does. */
  scan({ lower, upper, limit = 0xffff_ffff, snapshot = 0 }: ScanRange): readonly ScannedEntry[] {
    return this.#read(target => this.#addon.scan(this.#store, snapshot, lower, upper, limit, target))
  }

  /** The last entry of a range. */
  last(lower: Uint8Array, upper: Uint8Array): ScannedEntry | undefined {
    return this.#read(target => this.#addon.last(this.#store, lower, upper, target))[0]
  }

  /** Fixes what a scan with its number sees, until it is released. Costs next to nothing. */
  takeSnapshot(): number {
    return this.#guard('take a snapshot', () => this.#addon.takeSnapshot(this.#store))
  }

  releaseSnapshot(snapshot: number): void {
    this.#guard('release a snapshot', () => this.#addon.releaseSnapshot(this.#store, snapshot))
  }

  /** Makes a folder with hard links to all files, as of now. */
  checkpoint(directory: string): void {
    this.#guard('make a checkpoint', () => this.#addon.checkpoint(this.#store, directory))
  }

  /** Writes what is in memory into files. */
  flush(): void {
    this.#guard('flush', () => this.#addon.flush(this.#store))
  }

  /** Deletes the keys of a range, files that have nothing else at once. */
  deleteRange(lower: Uint8Array, upper: Uint8Array): void {
    this.#guard('delete a range', () => this.#addon.deleteRange(this.#store, lower, upper))
  }

  /** Writes a range into a file that {@link RocksDbStore.ingest} takes. Returns the number of entries; 0: there is no file. */
  exportRange(lower: Uint8Array, upper: Uint8Array, path: string): number {
    return this.#guard('export a range', () => this.#addon.exportRange(this.#store, lower, upper, path))
  }

  /** Takes over a file of another store, which is moved. */
  ingest(path: string): void {
    this.#guard('take over a file', () => this.#addon.ingest(this.#store, path))
  }

  /** One of RocksDB's own, such as `rocksdb.estimate-num-keys`; undefined: there is none of this name. */
  property(name: string): string | undefined {
    return this.#guard('tell a property', () => this.#addon.property(this.#store, name))
  }

  /**
   * One of RocksDB's counters since the store was opened, such as `rocksdb.block.cache.hit`; undefined: there is none of
   * this name, or the store does not count.
   */
  counter(name: string): number | undefined {
    return this.#guard('tell a counter', () => this.#addon.counter(this.#store, name))
  }

  /** Ends all work and frees memory; a temporary store is removed. */
  close(): void {
    this.#failure = undefined
    this.#guard('close', () => this.#addon.close(this.#store))
    this.#scratch = new Uint8Array(0)
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #get(keyLength: number): number {
    this.#check()
    try {
      return this.#addon.get(this.#store, keyLength, this.#valueOffset)
    } catch (error) {
      throw storeError('read', this.directory, error)
    }
  }

  #read(scan: (target: Uint8Array) => number): readonly ScannedEntry[] {
    this.#check()
    try {
      let size = scan(this.#target)
      if (size < 0) {
        this.#target = new Uint8Array(-size)
        size = scan(this.#target)
      } else if (this.#target.length > 1 << 20) {
        // One huge value must not keep its buffer.
        this.#target = this.#target.slice(0, Math.max(size, SCAN_BYTES))
      }
      return unpack(this.#target, size)
    } catch (error) {
      throw storeError('read', this.directory, error)
    }
  }

  #resize(keyBytes: number, valueBytes: number): void {
    const scratch = this.#guard('get a buffer', () => this.#addon.scratch(this.#store, keyBytes + valueBytes))
    const next = new Uint8Array(scratch)
    next.set(this.#scratch.subarray(0, Math.min(this.#valueOffset, keyBytes)))
    this.#scratch = next
    this.#valueOffset = keyBytes
  }

  #guard<T>(operation: string, call: () => T): T {
    this.#check()
    try {
      return call()
    } catch (error) {
      throw storeError(operation, this.directory, error)
    }
  }
}

function unpack(bytes: Uint8Array, size: number): readonly ScannedEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const entries: ScannedEntry[] = []
  for (let at = 0; at < size; ) {
    const key = at + 8
    const value = key + view.getUint32(at, true)
    const end = value + view.getUint32(at + 4, true)
    entries.push({ key: bytes.subarray(key, value), value: bytes.subarray(value, end) })
    at = end
  }
  return entries
}

const MISUSE: readonly unknown[] = ['CLOSED', 'INVALID_ARGUMENT', 'INTERNAL']

function storeError(operation: string, directory: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const data = { operation, directory, reason: error.message }
  return MISUSE.includes(error.code) ? StoreMisused(data, error) : StoreFailed(data, error)
}
