import type { RocksDbOptions } from '@flink-ts/rocksdb'

/** Of the backend `rocksdb`. */
export interface RocksDbSettings extends RocksDbOptions {
  /** Files of one store that are sent to the checkpoint storage, or fetched, at a time. */
  readonly transfers: number
  /** Of `state.backend.rocksdb.metrics.<name>` those that are on. */
  readonly metrics: readonly string[]
}

/** Without any configuration. */
export const DEFAULT_ROCKSDB_SETTINGS: RocksDbSettings = {
  memoryBytes: 256 << 20,
  writeBufferRatio: 0.5,
  highPriorityRatio: 0.1,
  writeBufferBytes: 64 << 20,
  writeBuffers: 2,
  targetFileBytes: 64 << 20,
  levelBaseBytes: 256 << 20,
  blockBytes: 4096,
  threads: 2,
  bloomBits: 10,
  levelZeroFiles: 4,
  buffersToMerge: 1,
  openFiles: 0,
  universal: 0,
  statistics: 0,
  transfers: 4,
  metrics: [],
}
