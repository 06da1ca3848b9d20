import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RocksDbStore } from '@flink-ts/rocksdb'
import type { KeyedBackendOptions, StateBackend } from '../../api/state-backend.ts'
import { groupsOf } from '../../snapshot/linked-handles.ts'
import type { StateReader } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { adoptStore } from './adopt-store.ts'
import type { CellCacheOptions } from './cell-cache.ts'
import { restoreRocksDb } from './restore-rocksdb.ts'
import { RocksDbKeyedStateBackend } from './rocksdb-keyed-state-backend.ts'
import { DEFAULT_ROCKSDB_SETTINGS } from './rocksdb-settings.ts'
import { fetchStore, type StoredTables } from './stored-store.ts'

/**
 * Files between which entries are spread until they are merged, with incremental checkpoints. Merging writes all of a
 * small store again, and the checkpoint after it too: with RocksDB's 4 ten checkpoints after 1 % of changes each wrote 21 %
 * of the state in the mean, with 10 they write 11 %.
 */
const LEVEL_ZERO_FILES = 10

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
  const settings = options.incremental === true ? { ...rocksDb, levelZeroFiles: LEVEL_ZERO_FILES } : rocksDb
  const folder = join(localDirectory, `rocksdb-${randomBytes(8).toString('hex')}`)
  const whole = wholeStoreOf(options, restored)
  let tables: StoredTables | undefined
  try {
    tables = whole && (await fetchStore(whole.files, storage, folder, rocksDb.transfers))
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const backend = new RocksDbKeyedStateBackend(options, { store: RocksDbStore.open(folder, settings, true) })
  try {
    if (whole !== undefined) await adoptStore(backend, whole.handle, tables ?? [], storage)
    else await restoreRocksDb(backend, restored, storage, localDirectory)
    return backend
  } catch (error) {
    backend.close()
    throw error
  }
}

/** The store that is the state of exactly these key groups, if there is one. */
function wholeStoreOf(
  { keyGroupRange, maxParallelism }: KeyedBackendOptions,
  restored: readonly KeyedStateHandle[],
): ReturnType<typeof groupsOf>[number] | undefined {
  const [group, ...others] = groupsOf(restored)
  if (group === undefined || others.length > 0 || group.handle.storeFiles === undefined) return undefined
  const { start, end } = group.handle.keyGroupRange
  const same = start === keyGroupRange.start && end === keyGroupRange.end
  return same && end < maxParallelism ? group : undefined
}

/** `state.backend.type: rocksdb`: see {@link RocksDbKeyedStateBackend}. */
export const rocksDbStateBackend: StateBackend = {
  name: 'rocksdb',
  createKeyedBackend: createRocksDbKeyedStateBackend,
}
