import { booleanType, type ConfigOption, option } from '@flink-ts/common'

/** What the keys of all of {@link ROCKSDB_METRICS} begin with. */
export const ROCKSDB_METRICS_PREFIX = 'state.backend.rocksdb.metrics.'

const off = (description: string) => ({
  defaultValue: false,
  description: `Metric of RocksDB: ${description}.`,
})

/**
 * Which metrics a store of the backend `rocksdb` has, `rocksdb.<name>` of its operator. All are off by default. Those of
 * {@link ROCKSDB_COUNTERS} make RocksDB count, which costs some per cent of its speed.
 */
export const ROCKSDB_METRICS: readonly ConfigOption<boolean>[] = [
  option(
    'state.backend.rocksdb.metrics.num-immutable-mem-table',
    booleanType,
    off('full write buffers that are not files yet'),
  ),
  option(
    'state.backend.rocksdb.metrics.mem-table-flush-pending',
    booleanType,
    off('1 while a write buffer waits to become a file'),
  ),
  option(
    'state.backend.rocksdb.metrics.compaction-pending',
    booleanType,
    off('1 while files wait to be merged'),
  ),
  option(
    'state.backend.rocksdb.metrics.background-errors',
    booleanType,
    off('errors of flushes and compactions'),
  ),
  option(
    'state.backend.rocksdb.metrics.cur-size-active-mem-table',
    booleanType,
    off('bytes in the write buffer that is filled'),
  ),
  option(
    'state.backend.rocksdb.metrics.cur-size-all-mem-tables',
    booleanType,
    off('bytes in write buffers that are not files yet'),
  ),
  option('state.backend.rocksdb.metrics.size-all-mem-tables', booleanType, off('bytes in all write buffers')),
  option(
    'state.backend.rocksdb.metrics.num-entries-active-mem-table',
    booleanType,
    off('entries in the write buffer that is filled'),
  ),
  option(
    'state.backend.rocksdb.metrics.num-entries-imm-mem-tables',
    booleanType,
    off('entries in full write buffers'),
  ),
  option(
    'state.backend.rocksdb.metrics.num-deletes-active-mem-table',
    booleanType,
    off('deletions in the write buffer that is filled'),
  ),
  option(
    'state.backend.rocksdb.metrics.num-deletes-imm-mem-tables',
    booleanType,
    off('deletions in full write buffers'),
  ),
  option('state.backend.rocksdb.metrics.estimate-num-keys', booleanType, off('entries, estimated')),
  option(
    'state.backend.rocksdb.metrics.estimate-table-readers-mem',
    booleanType,
    off('bytes of indexes and filters outside of the block cache'),
  ),
  option('state.backend.rocksdb.metrics.num-snapshots', booleanType, off('snapshots that are held')),
  option(
    'state.backend.rocksdb.metrics.num-live-versions',
    booleanType,
    off('versions of the set of files that are held'),
  ),
  option(
    'state.backend.rocksdb.metrics.estimate-live-data-size',
    booleanType,
    off('bytes of entries, without what is out of date, estimated'),
  ),
  option('state.backend.rocksdb.metrics.total-sst-files-size', booleanType, off('bytes of all files')),
  option(
    'state.backend.rocksdb.metrics.live-sst-files-size',
    booleanType,
    off('bytes of the files of the latest version'),
  ),
  option(
    'state.backend.rocksdb.metrics.estimate-pending-compaction-bytes',
    booleanType,
    off('bytes that are to be merged, estimated'),
  ),
  option('state.backend.rocksdb.metrics.num-running-compactions', booleanType, off('compactions under way')),
  option('state.backend.rocksdb.metrics.num-running-flushes', booleanType, off('flushes under way')),
  option(
    'state.backend.rocksdb.metrics.actual-delayed-write-rate',
    booleanType,
    off('bytes a second that writing is slowed down to; 0: not at all'),
  ),
  option(
    'state.backend.rocksdb.metrics.is-write-stopped',
    booleanType,
    off('1 while writing waits for compactions'),
  ),
  option(
    'state.backend.rocksdb.metrics.block-cache-capacity',
    booleanType,
    off('bytes that the block cache may have, of all stores of the TaskManager'),
  ),
  option(
    'state.backend.rocksdb.metrics.block-cache-usage',
    booleanType,
    off('bytes in the block cache, of all stores of the TaskManager'),
  ),
  option(
    'state.backend.rocksdb.metrics.block-cache-pinned-usage',
    booleanType,
    off('bytes in the block cache that are in use, of all stores of the TaskManager'),
  ),
  option(
    'state.backend.rocksdb.metrics.num-files-at-level',
    booleanType,
    off('files on each level, as rocksdb.num-files-at-level0 to 6'),
  ),
  option('state.backend.rocksdb.metrics.block-cache-hit', booleanType, off('blocks that were in the cache')),
  option(
    'state.backend.rocksdb.metrics.block-cache-miss',
    booleanType,
    off('blocks that were read from files'),
  ),
  option(
    'state.backend.rocksdb.metrics.bloom-filter-useful',
    booleanType,
    off('reads of a file that a Bloom filter saved'),
  ),
  option(
    'state.backend.rocksdb.metrics.bloom-filter-full-positive',
    booleanType,
    off('reads of a file that a Bloom filter did not save'),
  ),
  option(
    'state.backend.rocksdb.metrics.bloom-filter-full-true-positive',
    booleanType,
    off('of those the ones that found the key'),
  ),
  option('state.backend.rocksdb.metrics.bytes-read', booleanType, off('bytes that lookups gave')),
  option('state.backend.rocksdb.metrics.iter-bytes-read', booleanType, off('bytes that iterations gave')),
  option(
    'state.backend.rocksdb.metrics.bytes-written',
    booleanType,
    off('bytes that were written to stores'),
  ),
  option(
    'state.backend.rocksdb.metrics.compaction-read-bytes',
    booleanType,
    off('bytes that compactions read'),
  ),
  option(
    'state.backend.rocksdb.metrics.compaction-write-bytes',
    booleanType,
    off('bytes that compactions wrote'),
  ),
  option('state.backend.rocksdb.metrics.stall-micros', booleanType, off('microseconds that writing waited')),
]

/** RocksDB's names of its counters. */
export const ROCKSDB_COUNTERS: Readonly<Record<string, string>> = {
  'block-cache-hit': 'rocksdb.block.cache.hit',
  'block-cache-miss': 'rocksdb.block.cache.miss',
  'bloom-filter-useful': 'rocksdb.bloom.filter.useful',
  'bloom-filter-full-positive': 'rocksdb.bloom.filter.full.positive',
  'bloom-filter-full-true-positive': 'rocksdb.bloom.filter.full.true.positive',
  'bytes-read': 'rocksdb.bytes.read',
  'iter-bytes-read': 'rocksdb.db.iter.bytes.read',
  'bytes-written': 'rocksdb.bytes.written',
  'compaction-read-bytes': 'rocksdb.compact.read.bytes',
  'compaction-write-bytes': 'rocksdb.compact.write.bytes',
  'stall-micros': 'rocksdb.stall.micros',
}
