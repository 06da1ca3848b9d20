import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { RocksDbStore } from '@flink-ts/rocksdb'
import { createValueSerializer } from '@flink-ts/serialization'
import { CorruptSnapshot } from '../../errors.ts'
import type { KeyedSnapshotHeader, StoredEntry } from '../../snapshot/keyed-format.ts'
import type { KeyGroupChunk, StateReader } from '../../snapshot/read-key-groups.ts'
import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'
import { inParallel } from './in-parallel.ts'
import { DEFAULT_ROCKSDB_SETTINGS } from './rocksdb-settings.ts'
import { after, decodeNamespace, parseKey, StoreKeys, storedOf } from './store-keys.ts'

/** Asked for at once: storages pay for each request. */
const BLOCK_BYTES = 8 << 20
/** Of the sizes of tables: not a file of RocksDB. */
export const TABLES_FILE = 'tables.json'

/** State id, namespace in hexadecimal, number of entries: of states of values. */
export type StoredTables = readonly (readonly [state: number, namespace: string, entries: number])[]

/**
 * Writes the files of a store as a snapshot has them into a folder, which is made. Returns the sizes of its tables.
 * @param transfers files at a time
 * @throws state.corrupt-snapshot, and errors of the storage and of the local disk
 */
export async function fetchStore(
  files: readonly KeyedStateHandle[],
  storage: StateReader,
  folder: string,
  transfers: number,
): Promise<StoredTables> {
  await mkdir(folder, { recursive: true })
  let tables: StoredTables = []
  await inParallel(transfers, files, async ({ storeFile, location }) => {
    const { name, crc } = storeFile as { name: string; crc: number }
    const where = location.type === 'file' ? location.path : `the file ${name} of a store`
    // What comes from a file that others may write must not lead out of the folder.
    if (!/^[A-Za-z0-9_-]+(\.[a-z]+)?$/.test(name))
      throw CorruptSnapshot({ where, reason: `its name '${name}' is none of RocksDB` })
    const sizeBytes = locationSizeBytes(location)
    const target = await open(join(folder, name), 'w')
    let found = 0
    const content: Buffer[] = []
    try {
      for (let at = 0; at < sizeBytes; at += BLOCK_BYTES) {
        const end = Math.min(sizeBytes, at + BLOCK_BYTES)
        const block = await storage.readRange(location, at, end)
        if (block.length !== end - at) {
          throw CorruptSnapshot({ where, reason: `it ends at byte ${at + block.length}` })
        }
        found = crc32(block, found)
        if (name === TABLES_FILE) content.push(block)
        else await target.writeFile(block)
      }
    } finally {
      await target.close()
    }
    if (found !== crc) throw CorruptSnapshot({ where, reason: 'its checksum is wrong' })
    if (name === TABLES_FILE) tables = JSON.parse(Buffer.concat(content).toString()) as StoredTables
  })
  rmSync(join(folder, TABLES_FILE), { force: true })
  return tables
}

/** A store of a snapshot, put together in a temporary folder. */
export async function openStoredStore(
  files: readonly KeyedStateHandle[],
  storage: StateReader,
  parent = tmpdir(),
): Promise<{
  chunks(
    header: KeyedSnapshotHeader,
    range: { readonly start: number; readonly end: number },
  ): AsyncIterable<KeyGroupChunk>
  close(): void
}> {
  const folder = mkdtempSync(join(parent, 'rocksdb-stored-'))
  try {
    await fetchStore(files, storage, folder, DEFAULT_ROCKSDB_SETTINGS.transfers)
    const store = RocksDbStore.open(folder, DEFAULT_ROCKSDB_SETTINGS, true)
    return { chunks: (header, range) => chunksOf(store, header, range), close: () => store.close() }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Entries as other formats have them, key group by key group. */
async function* chunksOf(
  store: RocksDbStore,
  header: KeyedSnapshotHeader,
  range: { readonly start: number; readonly end: number },
): AsyncIterable<KeyGroupChunk> {
  const keys = new StoreKeys(header, { serializer: createValueSerializer() })
  for (let keyGroup = range.start; keyGroup <= range.end; keyGroup++) {
    const upper = firstKeyOf(keyGroup + 1)
    for (let from: Uint8Array = firstKeyOf(keyGroup); ; ) {
      const scanned = store.scan({ lower: from, upper })
      const last = scanned.at(-1)
      if (last === undefined) break
      from = after(last.key)
      function* entries(): Iterable<StoredEntry> {
        for (const { key, value } of scanned) {
          const parsed = parseKey(key)
          yield {
            stateIndex: parsed.state,
            namespace: decodeNamespace(parsed.namespaceBytes),
            key: keys.encodedKey(parsed, value),
            value: storedOf(value),
          }
        }
      }
      yield { header, keyGroup, entries }
    }
  }
}

function firstKeyOf(keyGroup: number): Uint8Array {
  return Uint8Array.of(keyGroup >>> 8, keyGroup & 255)
}
