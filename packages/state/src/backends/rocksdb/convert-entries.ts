import type { Key } from '../../api/keyed-state-backend.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { storedOf } from './store-keys.ts'

const BATCH_BYTES = 1 << 20

/** Replaces all values of a state, elements of lists and maps one by one. All at once: before the first record. */
export function convertEntries(
  state: RocksDbState,
  { cache, batch, store, serializer }: RocksDbContext,
  convert: (value: unknown, key: Key) => unknown,
): void {
  cache.evictAll()
  for (const entry of state.walk()) {
    const stored = storedOf(entry.value)
    const head = entry.value.subarray(0, entry.value.length - stored.length)
    const value = serializer.decode(stored)
    const { key } = state.placeOf(entry)
    batch.put(entry.key, serializer.encode(converted(state, value, key, convert)), head)
    if (batch.sizeBytes > BATCH_BYTES) store.write(batch)
  }
  store.write(batch)
}

function converted(
  { kind }: RocksDbState,
  stored: unknown,
  key: Key,
  convert: (value: unknown, key: Key) => unknown,
): unknown {
  if (kind === 'map') {
    const [mapKey, value] = stored as [unknown, unknown]
    return [mapKey, convert(value, key)]
  }
  if (kind === 'list') {
    const [index, elements] = stored as [number, unknown[]]
    return [index, elements.map(element => convert(element, key))]
  }
  return convert(stored, key)
}
