import { CorruptSnapshot } from '../../errors.ts'
import { readHeader, type StateReader } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { restoreRocksDb } from './restore-rocksdb.ts'
import type { RocksDbKeyedStateBackend } from './rocksdb-keyed-state-backend.ts'
import { decodeNamespace } from './store-keys.ts'
import type { StoredTables } from './stored-store.ts'

/**
 * Makes what a snapshot has of a store the state of a backend whose store has been opened on its files. Throws as
 * {@link restoreRocksDb} does.
 */
export async function adoptStore(
  backend: RocksDbKeyedStateBackend,
  handle: KeyedStateHandle,
  tables: StoredTables,
  storage: StateReader,
): Promise<void> {
  const header = await readHeader(handle, storage)
  // Ids of states are those of the store: they are given in the order of the header.
  const states = header.states.flatMap(({ name, kind, ttl }) =>
    kind === 'timers' ? [] : [backend.rocksDbState(name, kind, ttl)],
  )
  for (const state of states) state.restored = true
  for (const [id, namespace, entries] of tables) {
    const state = states[id]
    if (state === undefined) {
      const reason = `there is no state number ${id}`
      throw CorruptSnapshot({ where: 'the table sizes of a store', reason })
    }
    state.table(decodeNamespace(Buffer.from(namespace, 'hex'))).size = entries
  }
  const { storeFiles: _, ...timers } = handle
  await restoreRocksDb(backend, [timers], storage)
}
