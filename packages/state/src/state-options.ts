import {
  booleanType,
  type Configuration,
  integerFrom,
  memorySizeType,
  type OptionType,
  option,
  stringType,
} from '@flink-ts/common'
import { DEFAULT_ROCKSDB_SETTINGS, type RocksDbSettings } from './backends/rocksdb/rocksdb-settings.ts'
import type { SnapshotCompression } from './snapshot/keyed-format.ts'

/** Inline state travels in messages and in `_metadata`: more than this belongs into files. */
const MAX_INLINE_BYTES = 1 << 20

const shareType: OptionType<number> = {
  expected: 'a number from 0 to 1',
  parse: text => {
    const share = text.trim() === '' ? Number.NaN : Number(text)
    return share >= 0 && share <= 1 ? share : undefined
  },
  format: String,
}

const inlineSize: OptionType<number> = {
  expected: 'a memory size of at most 1 mb',
  parse: text => {
    const sizeBytes = memorySizeType.parse(text)
    return sizeBytes !== undefined && sizeBytes <= MAX_INLINE_BYTES ? sizeBytes : undefined
  },
  format: memorySizeType.format,
}

/** Below this size, state is part of the checkpoint's metadata instead of a file of its own. */
export const CHECKPOINT_INLINE_THRESHOLD = option(
  'execution.checkpointing.data-inline-threshold',
  inlineSize,
  {
    defaultValue: 20 * 1024,
    description:
      'State of an operator instance up to this size is written into the metadata of the checkpoint, larger state into ' +
      'a file. At most 1 mb.',
    deprecatedKeys: ['state.storage.fs.memory-threshold', 'state.backend.fs.memory-threshold'],
  },
)

/** Whether state files are compressed. */
export const SNAPSHOT_COMPRESSION = option('execution.checkpointing.snapshot-compression', booleanType, {
  defaultValue: false,
  description:
    'Compress keyed state in snapshots by zstd, each key group for itself. Saves space and network at the cost of CPU.',
})

/** Whether checkpoints leave out what has not changed. */
export const INCREMENTAL_CHECKPOINTS = option('execution.checkpointing.incremental', booleanType, {
  defaultValue: false,
  description:
    'Write only what has changed since the last completed checkpoint, and refer to its files for the rest. Everything ' +
    'is written again when changes come to half of the state, and in savepoints.',
  deprecatedKeys: ['state.backend.incremental'],
})

/** Where keyed state is kept. */
export const STATE_BACKEND = option('state.backend.type', stringType, {
  defaultValue: 'hashmap',
  description:
    'Where keyed state is kept: hashmap (heap; also by the old names jobmanager and filesystem), rocksdb (on the local ' +
    'disk, larger than memory), plain (a small example), or a module whose default export is a StateBackend.',
  deprecatedKeys: ['state.backend'],
})

/** Whether a restart reads local copies. */
export const STATE_RECOVERY_FROM_LOCAL = option('execution.state-recovery.from-local', booleanType, {
  defaultValue: false,
  description:
    'Tasks that restart on the same TaskManager read their state from copies on its disk instead of the checkpoint ' +
    'storage. What has no copy, or a damaged one, is read from the storage.',
  deprecatedKeys: ['state.backend.local-recovery'],
})

/** Whether checkpoints leave local copies. */
export const LOCAL_BACKUP = option(
  'execution.checkpointing.local-backup.enabled',
  booleanType as OptionType<boolean | undefined>,
  {
    defaultValue: undefined,
    description:
      'Checkpoints leave a copy of each state file on the disk of the TaskManager that wrote it, until a newer checkpoint ' +
      'takes its place. Default: as execution.state-recovery.from-local.',
  },
)

/** Where the stores of the backend `rocksdb` are. */
export const ROCKSDB_LOCAL_DIRECTORY = option('state.backend.rocksdb.localdir', stringType, {
  defaultValue: '',
  description:
    'Folder below which a TaskManager keeps the stores of state.backend.type: rocksdb, best on a fast local disk. They ' +
    'are removed when their tasks end. Default: in io.tmp.dirs.',
})

/** Bound of the native memory of RocksDB. */
export const ROCKSDB_MEMORY = option('state.backend.rocksdb.memory.fixed-per-tm', memorySizeType, {
  defaultValue: DEFAULT_ROCKSDB_SETTINGS.memoryBytes,
  description:
    'Memory for the block cache and the write buffers of all RocksDB stores of a TaskManager together, beside the heaps ' +
    'of its slots.',
})

/** How much of it write buffers may take. */
export const ROCKSDB_WRITE_BUFFER_RATIO = option(
  'state.backend.rocksdb.memory.write-buffer-ratio',
  shareType,
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.writeBufferRatio,
    description: 'Share of state.backend.rocksdb.memory.fixed-per-tm that write buffers may take.',
  },
)

/** How much of it is kept for index and filter blocks. */
export const ROCKSDB_HIGH_PRIORITY_RATIO = option(
  'state.backend.rocksdb.memory.high-prio-pool-ratio',
  shareType,
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.highPriorityRatio,
    description: 'Share of the block cache that index and filter blocks keep against data blocks.',
  },
)

/** Threads of RocksDB. */
export const ROCKSDB_THREADS = option('state.backend.rocksdb.thread.num', integerFrom(1), {
  defaultValue: DEFAULT_ROCKSDB_SETTINGS.threads,
  description: 'Threads of a TaskManager that write and merge the files of RocksDB.',
})

/** Size of a write buffer. */
export const ROCKSDB_WRITE_BUFFER_SIZE = option('state.backend.rocksdb.writebuffer.size', memorySizeType, {
  defaultValue: DEFAULT_ROCKSDB_SETTINGS.writeBufferBytes,
  description: 'What one store collects in memory before it writes a file.',
})

/** Number of write buffers. */
export const ROCKSDB_WRITE_BUFFERS = option('state.backend.rocksdb.writebuffer.count', integerFrom(1), {
  defaultValue: DEFAULT_ROCKSDB_SETTINGS.writeBuffers,
  description: 'Write buffers of one store, full ones included; at least 2.',
})

/** Size of a block. */
export const ROCKSDB_BLOCK_SIZE = option('state.backend.rocksdb.block.blocksize', memorySizeType, {
  defaultValue: DEFAULT_ROCKSDB_SETTINGS.blockBytes,
  description:
    'What RocksDB reads at once: larger blocks take less memory for indexes and more reading for an entry.',
})

/** Size of a file. */
export const ROCKSDB_TARGET_FILE_SIZE = option(
  'state.backend.rocksdb.compaction.level.target-file-size-base',
  memorySizeType,
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.targetFileBytes,
    description: 'Size of the files of RocksDB.',
  },
)

/** Size of a level. */
export const ROCKSDB_LEVEL_SIZE = option(
  'state.backend.rocksdb.compaction.level.max-size-level-base',
  memorySizeType,
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.levelBaseBytes,
    description: 'Size of the smallest level of merged files.',
  },
)

/** Whether files have Bloom filters. */
export const ROCKSDB_BLOOM_FILTER = option('state.backend.rocksdb.use-bloom-filter', booleanType, {
  defaultValue: true,
  description: 'Keep a filter for each file, so that keys which are not there cost no reading.',
})

/** Size of Bloom filters. */
export const ROCKSDB_BLOOM_FILTER_BITS = option(
  'state.backend.rocksdb.bloom-filter.bits-per-key',
  integerFrom(1),
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.bloomBits,
    description: 'Size of the filters, in bits for each key.',
  },
)

/** How state is kept and stored. Plain data. */
export interface StateSettings {
  /** Name or module of the state backend. */
  readonly backend: string
  /** State up to this size travels with the acknowledgement instead of in a file. */
  readonly inlineThresholdBytes: number
  readonly compression: SnapshotCompression
  readonly incremental: boolean
  /** Folder of this TaskManager for state that is kept in files. Absent: the system's temporary one. */
  readonly localDirectory?: string | undefined
  /** Of the backend `rocksdb`. */
  readonly rocksDb?: RocksDbSettings
  /** Copies of state files on the host of the task: whether they are made, and used. Absent: neither. */
  readonly localCopies?: { readonly write: boolean; readonly read: boolean }
}

/** Throws `common.invalid-option-value`. */
export function stateSettingsOf(configuration: Configuration): StateSettings {
  return {
    backend: configuration.get(STATE_BACKEND),
    inlineThresholdBytes: configuration.get(CHECKPOINT_INLINE_THRESHOLD),
    compression: configuration.get(SNAPSHOT_COMPRESSION) ? 'zstd' : 'none',
    incremental: configuration.get(INCREMENTAL_CHECKPOINTS),
    localCopies: localCopiesOf(configuration),
    rocksDb: rocksDbSettingsOf(configuration),
  }
}

function rocksDbSettingsOf(configuration: Configuration): RocksDbSettings {
  return {
    memoryBytes: configuration.get(ROCKSDB_MEMORY),
    writeBufferRatio: configuration.get(ROCKSDB_WRITE_BUFFER_RATIO),
    highPriorityRatio: configuration.get(ROCKSDB_HIGH_PRIORITY_RATIO),
    writeBufferBytes: configuration.get(ROCKSDB_WRITE_BUFFER_SIZE),
    writeBuffers: configuration.get(ROCKSDB_WRITE_BUFFERS),
    targetFileBytes: configuration.get(ROCKSDB_TARGET_FILE_SIZE),
    levelBaseBytes: configuration.get(ROCKSDB_LEVEL_SIZE),
    blockBytes: configuration.get(ROCKSDB_BLOCK_SIZE),
    threads: configuration.get(ROCKSDB_THREADS),
    bloomBits: configuration.get(ROCKSDB_BLOOM_FILTER) ? configuration.get(ROCKSDB_BLOOM_FILTER_BITS) : 0,
  }
}

function localCopiesOf(configuration: Configuration): { readonly write: boolean; readonly read: boolean } {
  const read = configuration.get(STATE_RECOVERY_FROM_LOCAL)
  return { write: configuration.get(LOCAL_BACKUP) ?? read, read }
}

/** What a job sets itself, over what the cluster is configured to do. Throws `common.invalid-option-value`. */
export function jobStateSettingsOf(
  configuration: Configuration,
): Partial<Pick<StateSettings, 'backend' | 'compression' | 'incremental' | 'localCopies'>> {
  const { backend, compression, incremental } = stateSettingsOf(configuration)
  return {
    ...(configuration.has(STATE_BACKEND) && { backend }),
    ...(configuration.has(SNAPSHOT_COMPRESSION) && { compression }),
    ...(configuration.has(INCREMENTAL_CHECKPOINTS) && { incremental }),
    ...((configuration.has(STATE_RECOVERY_FROM_LOCAL) || configuration.has(LOCAL_BACKUP)) && {
      localCopies: localCopiesOf(configuration),
    }),
  }
}
