import { type RocksDbStore, StoreBatch } from '@flink-ts/rocksdb'
import { createValueSerializer, type ValueSerializer } from '@flink-ts/serialization'
import { CellCache, type CellCacheOptions } from './cell-cache.ts'
import { after, StoreKeys } from './store-keys.ts'

const WALK_ENTRIES = 64

/** One entry of the store, in memory of its own. */
export interface WalkedEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What all states of a backend share. Owner: the backend. */
export class RocksDbContext {
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  readonly store: RocksDbStore
  /** Empty but while somebody fills and writes it. */
  readonly batch = new StoreBatch()
  readonly serializer: ValueSerializer = createValueSerializer()
  readonly cache: CellCache
  readonly keys: StoreKeys

  constructor(
    options: {
      readonly keyGroupRange: { readonly start: number; readonly end: number }
      readonly maxParallelism: number
      readonly cache: CellCacheOptions
    },
    dependencies: { store: RocksDbStore },
  ) {
    this.keyGroupRange = options.keyGroupRange
    this.maxParallelism = options.maxParallelism
    this.store = dependencies.store
    this.keys = new StoreKeys(options, { serializer: this.serializer })
    this.cache = new CellCache(options.cache, {
      store: this.store,
      batch: this.batch,
      serializer: this.serializer,
    })
  }

  /** What the store has; valid until the next call. Cells know better. */
  get(storeKey: Uint8Array): Uint8Array | undefined {
    this.store.keyBuffer(storeKey.length).set(storeKey)
    return this.store.get(storeKey.length)
  }

  /**
   * What the store has from `lower` on below `upper`, in order. It may change meanwhile: no entry comes as it was before
   * its cell was written back. Cells know better still.
   */
  *walk(lower: Uint8Array, upper: Uint8Array): Generator<WalkedEntry> {
    let from = lower
    for (;;) {
      const entries = this.store
        .scan({ lower: from, upper, limit: WALK_ENTRIES })
        .map(({ key, value }) => ({ key: copyOf(key), value: copyOf(value) }))
      if (entries.length === 0) return
      const { rotations } = this.cache
      for (const entry of entries) {
        from = after(entry.key)
        yield entry
        if (this.cache.rotations !== rotations) break
      }
    }
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes)
}
