import {
  booleanType,
  type ConfigOption,
  type Configuration,
  integerFrom,
  memorySizeType,
  type OptionType,
  option,
  stringType,
} from '@flink-ts/common'
import { DEFAULT_ROCKSDB_SETTINGS, type RocksDbSettings } from './backends/rocksdb/rocksdb-settings.ts'
import { ROCKSDB_COUNTERS, ROCKSDB_METRICS, ROCKSDB_METRICS_PREFIX } from './rocksdb-metrics-options.ts'

const shareType: OptionType<number> = {
  expected: 'a number from 0 to 1',
  parse: text => {
    const share = text.trim() === '' ? Number.NaN : Number(text)
    return share >= 0 && share <= 1 ? share : undefined
  },
  format: String,
}

function oneOf<T extends string>(...words: readonly T[]): OptionType<T> {
  return {
    expected: words.join(' or '),
    parse: text => words.find(word => word === text.trim().toUpperCase().replaceAll('-', '_')),
    format: word => word,
  }
}

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

/** How files are merged. */
export const ROCKSDB_COMPACTION_STYLE = option(
  'state.backend.rocksdb.compaction.style',
  oneOf<'LEVEL' | 'UNIVERSAL'>('LEVEL', 'UNIVERSAL'),
  {
    defaultValue: 'LEVEL',
    description:
      'How RocksDB merges files: LEVEL reads less, UNIVERSAL writes less, which makes incremental checkpoints smaller, and ' +
      'may need twice the space on the local disk for a while.',
  },
)

/** How many files are kept open. */
export const ROCKSDB_OPEN_FILES = option('state.backend.rocksdb.files.open', integerFrom(-1), {
  defaultValue: -1,
  description: 'Files that one store keeps open; -1: all.',
})

/** Write buffers that become one file. */
export const ROCKSDB_BUFFERS_TO_MERGE = option(
  'state.backend.rocksdb.writebuffer.number-to-merge',
  integerFrom(1),
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.buffersToMerge,
    description: 'Full write buffers that become one file; below state.backend.rocksdb.writebuffer.count.',
  },
)

/** Files that are sent at a time. */
export const ROCKSDB_TRANSFERS = option(
  'state.backend.rocksdb.checkpoint.transfer.thread.num',
  integerFrom(1),
  {
    defaultValue: DEFAULT_ROCKSDB_SETTINGS.transfers,
    description: 'Files of one store that are sent to the checkpoint storage, or fetched from it, at a time.',
  },
)

/** Settings that fit a kind of disk. */
export const ROCKSDB_PREDEFINED_OPTIONS = option(
  'state.backend.rocksdb.predefined-options',
  oneOf('DEFAULT', 'SPINNING_DISK_OPTIMIZED', 'SPINNING_DISK_OPTIMIZED_HIGH_MEM', 'FLASH_SSD_OPTIMIZED'),
  {
    defaultValue: 'DEFAULT',
    description:
      'Settings that fit a kind of disk, where the keys of the single settings are not given. ' +
      'SPINNING_DISK_OPTIMIZED and FLASH_SSD_OPTIMIZED: 4 threads. SPINNING_DISK_OPTIMIZED_HIGH_MEM: 4 threads, blocks of ' +
      '128 kb, 4 write buffers of which 3 become one file, files of 256 mb, a level of 1 gb.',
  },
)

const PREDEFINED: Readonly<Record<string, Partial<RocksDbSettings>>> = {
  SPINNING_DISK_OPTIMIZED: { threads: 4 },
  FLASH_SSD_OPTIMIZED: { threads: 4 },
  SPINNING_DISK_OPTIMIZED_HIGH_MEM: {
    ...{ threads: 4, blockBytes: 128 << 10, writeBuffers: 4, buffersToMerge: 3 },
    ...{ targetFileBytes: 256 << 20, levelBaseBytes: 1 << 30 },
  },
}

/** Throws `common.invalid-option-value`. */
export function rocksDbSettingsOf(configuration: Configuration): RocksDbSettings {
  const metrics = ROCKSDB_METRICS.filter(metric => configuration.get(metric)).map(({ key }) =>
    key.slice(ROCKSDB_METRICS_PREFIX.length),
  )
  const given: RocksDbSettings = {
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
    levelZeroFiles: DEFAULT_ROCKSDB_SETTINGS.levelZeroFiles,
    buffersToMerge: configuration.get(ROCKSDB_BUFFERS_TO_MERGE),
    openFiles: Math.max(0, configuration.get(ROCKSDB_OPEN_FILES)),
    universal: configuration.get(ROCKSDB_COMPACTION_STYLE) === 'UNIVERSAL' ? 1 : 0,
    transfers: configuration.get(ROCKSDB_TRANSFERS),
    metrics,
    statistics: metrics.some(name => name in ROCKSDB_COUNTERS) ? 1 : 0,
  }
  const predefined = Object.entries(PREDEFINED[configuration.get(ROCKSDB_PREDEFINED_OPTIONS)] ?? {})
  const set = predefined.filter(([name]) => {
    const key = SINGLE[name]
    return key === undefined || !configuration.has(key)
  })
  return { ...given, ...Object.fromEntries(set) }
}

/** The keys that come before what is predefined. */
const SINGLE: Readonly<Record<string, ConfigOption<unknown>>> = {
  threads: ROCKSDB_THREADS,
  blockBytes: ROCKSDB_BLOCK_SIZE,
  writeBuffers: ROCKSDB_WRITE_BUFFERS,
  buffersToMerge: ROCKSDB_BUFFERS_TO_MERGE,
  targetFileBytes: ROCKSDB_TARGET_FILE_SIZE,
  levelBaseBytes: ROCKSDB_LEVEL_SIZE,
}
