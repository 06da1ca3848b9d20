import type { RocksDbOptions } from '@flink-ts/rocksdb'

/** Of the backend `rocksdb`. */
export type RocksDbSettings = RocksDbOptions

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
}
