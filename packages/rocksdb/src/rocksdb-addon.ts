import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { RocksDbNotInstalled } from './errors.ts'

/** How a store is opened. Sizes in bytes. */
export interface RocksDbOptions {
  /**
   * Block cache and write buffers of all stores of this process together. The first store that is opened says it for all
   * that are opened while one is open.
   */
  readonly memoryBytes: number
  /** Share of the memory for write buffers; of all stores as well. */
  readonly writeBufferRatio: number
  /** Share of the cache that is kept for index and filter blocks; of all stores as well. */
  readonly highPriorityRatio: number
  readonly writeBufferBytes: number
  readonly writeBuffers: number
  readonly targetFileBytes: number
  readonly levelBaseBytes: number
  readonly blockBytes: number
  /** For flushes and compactions, of this process. */
  readonly threads: number
  /** Of Bloom filters, for each key; 0: none. */
  readonly bloomBits: number
  /** Files that were just flushed are merged when there are so many; at least 2. */
  readonly levelZeroFiles: number
  /** Full write buffers that become one file. */
  readonly buffersToMerge: number
  /** Files that are kept open; 0: all. */
  readonly openFiles: number
  /** 1: files of like size are merged (RocksDB's universal compaction); 0: level by level. */
  readonly universal: number
  /** 1: RocksDB counts what it does, for {@link RocksDbAddon.counter}; 0: not. */
  readonly statistics: number
}

/** What is in use by the stores of this process. */
export interface RocksDbMemory {
  readonly cacheCapacityBytes: number
  readonly cacheUsedBytes: number
  readonly writeBuffersCapacityBytes: number
  readonly writeBuffersUsedBytes: number
}

/**
 * What `addon.cc` exports. Everything is synchronous and throws an Error with a `code`; stores are numbers, known only to
 * the thread that opened them. See there for the layout of batches and results.
 */
export interface RocksDbAddon {
  readonly version: string
  open(path: string, options: Partial<RocksDbOptions> & { temporary?: number }): number
  scratch(store: number, sizeBytes: number): ArrayBuffer
  close(store: number): void
  get(store: number, keyLength: number, valueOffset: number): number
  write(store: number, batch: Uint8Array, sizeBytes: number): number
  scan(
    store: number,
    snapshot: number,
    lower: Uint8Array,
    upper: Uint8Array,
    limit: number,
    target: Uint8Array,
  ): number
  last(store: number, lower: Uint8Array, upper: Uint8Array, target: Uint8Array): number
  takeSnapshot(store: number): number
  releaseSnapshot(store: number, snapshot: number): void
  checkpoint(store: number, path: string): void
  flush(store: number): void
  deleteRange(store: number, lower: Uint8Array, upper: Uint8Array): void
  exportRange(store: number, lower: Uint8Array, upper: Uint8Array, path: string): number
  ingest(store: number, path: string): void
  property(store: number, name: string): string | undefined
  counter(store: number, name: string): number | undefined
  memory(): RocksDbMemory
}

// From src and dist alike; in what is shipped the same below lib/rocksdb.
const ADDON = fileURLToPath(new URL('../build/rocksdb.node', import.meta.url))
const BUILD = fileURLToPath(new URL('../native/build.mjs', import.meta.url))

// Owner: this module, one instance for each thread.
let loaded: RocksDbAddon | undefined

/** Why there is no RocksDB here, with the command that installs it; undefined: the addon is there. Loads nothing. */
export function rocksDbProblem(): Error | undefined {
  return existsSync(ADDON) ? undefined : notInstalled(`there is no ${ADDON}`)
}

/** The addon. @throws rocksdb.not-installed */
export function loadRocksDbAddon(): RocksDbAddon {
  if (loaded !== undefined) return loaded
  const problem = rocksDbProblem()
  if (problem !== undefined) throw problem
  try {
    loaded = createRequire(import.meta.url)(ADDON) as RocksDbAddon
  } catch (error) {
    throw notInstalled(error instanceof Error ? error.message : String(error), error)
  }
  return loaded
}

function notInstalled(reason: string, cause?: unknown): Error {
  const library =
    process.platform === 'darwin' ? 'brew install rocksdb' : 'apt-get install g++ librocksdb-dev'
  return RocksDbNotInstalled({ reason, command: `${library} && node ${BUILD}` }, cause)
}
