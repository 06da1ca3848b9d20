import type { RocksDbStore } from '@flink-ts/rocksdb'
import type { BackendMetric } from '../../api/keyed-state-backend.ts'
import { ROCKSDB_COUNTERS } from '../../rocksdb-metrics-options.ts'

const LEVELS = 7

/**
 * The metrics of a store that are on, `rocksdb.<name>`.
 * @param isClosed then they are 0
 */
export function storeMetrics(
  store: RocksDbStore,
  names: readonly string[],
  isClosed: () => boolean,
): readonly BackendMetric[] {
  const metric = (name: string, read: () => number | string | undefined): BackendMetric => ({
    name: `rocksdb.${name}`,
    // RocksDB gives properties as text.
    read: () => (isClosed() ? 0 : Number(read() ?? 0)),
  })
  return names.flatMap(name => {
    const counter = ROCKSDB_COUNTERS[name]
    if (counter !== undefined) return [metric(name, () => store.counter(counter))]
    const levels =
      name === 'num-files-at-level' ? Array.from({ length: LEVELS }, (_, i) => `${name}${i}`) : [name]
    return levels.map(each => metric(each, () => store.property(`rocksdb.${each}`)))
  })
}
