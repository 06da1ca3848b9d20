import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksDbStore } from '@flink-ts/rocksdb'
import type { KeyedBackendOptions, StateBackend } from '../../api/state-backend.ts'
import type { StateReader } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import type { CellCacheOptions } from './cell-cache.ts'
import { restoreRocksDb } from './restore-rocksdb.ts'
import { RocksDbKeyedStateBackend } from './rocksdb-keyed-state-backend.ts'
import { DEFAULT_ROCKSDB_SETTINGS } from './rocksdb-settings.ts'

/**
 * A backend with a store of its own in a new folder below `localDirectory`, with the state of `restored`. The folder is
 * removed when the backend is closed, or at the end of the thread. Throws `rocksdb.not-installed`, `rocksdb.store-failed`
 * and what {@link restoreRocksDb} throws.
 */
export async function createRocksDbKeyedStateBackend(
  options: KeyedBackendOptions & { readonly cache?: CellCacheOptions },
  restored: readonly KeyedStateHandle[],
  storage: StateReader,
): Promise<RocksDbKeyedStateBackend> {
  const { localDirectory = tmpdir(), rocksDb = DEFAULT_ROCKSDB_SETTINGS } = options
  mkdirSync(localDirectory, { recursive: true })
  const folder = join(localDirectory, `rocksdb-${randomBytes(8).toString('hex')}`)
  const backend = new RocksDbKeyedStateBackend(options, { store: RocksDbStore.open(folder, rocksDb, true) })
  try {
    await restoreRocksDb(backend, restored, storage)
    return backend
  } catch (error) {
    backend.close()
    throw error
  }
}

/** `state.backend.type: rocksdb`: see {@link RocksDbKeyedStateBackend}. */
export const rocksDbStateBackend: StateBackend = {
  name: 'rocksdb',
  createKeyedBackend: createRocksDbKeyedStateBackend,
}
