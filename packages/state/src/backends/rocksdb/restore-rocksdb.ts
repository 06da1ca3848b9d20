import { inspect } from 'node:util'
import { canonicalKey } from '@flink-ts/serialization'
import type { Key } from '../../api/keyed-state-backend.ts'
import { CorruptSnapshot, MaxParallelismChanged } from '../../errors.ts'
import type { StoredEntry } from '../../snapshot/keyed-format.ts'
import { encodeNamespace } from '../../snapshot/keyed-format.ts'
import { LinkedHandles } from '../../snapshot/linked-handles.ts'
import { type KeyGroupChunk, readKeyGroups, type StateReader } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { convertStored, type TtlMode } from '../hashmap/ttl/convert-times.ts'
import type { RocksDbKeyedStateBackend } from './rocksdb-keyed-state-backend.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { above, indexPart, joined, parseKey, type StoreKeys, statePrefix, storedOf } from './store-keys.ts'

const BATCH_BYTES = 1 << 20

/**
 * Puts the state of `restored` into a new backend: of each handle the key groups of its own range. Throws
 * `state.corrupt-snapshot`, `state.newer-format`, `state.max-parallelism-changed`, `state.kind-mismatch` and errors of the
 * storage.
 * @param folder below which stores are put together whose files were stored as they are
 */
export async function restoreRocksDb(
  backend: RocksDbKeyedStateBackend,
  restored: readonly KeyedStateHandle[],
  storage: StateReader,
  folder?: string,
): Promise<void> {
  const { store, batch } = backend.context
  const linked = new LinkedHandles(restored, { storage, folder })
  try {
    for (const handle of linked.handles) {
      for await (const chunk of readKeyGroups(handle, backend.keyGroupRange, storage)) {
        restoreChunk(backend, handle, chunk)
        if (handle.delta !== undefined || batch.sizeBytes > BATCH_BYTES) store.write(batch)
      }
      store.write(batch)
    }
  } finally {
    linked.close()
  }
  for (const { types } of restored) backend.noteTypes(types ?? {})
  for (const state of backend.states()) if (state.kind === 'list') completeLists(backend, state)
}

interface Target {
  readonly name: string
  readonly ttl: TtlMode
  /** Undefined: timers. */
  readonly state: RocksDbState | undefined
}

function restoreChunk(
  backend: RocksDbKeyedStateBackend,
  handle: KeyedStateHandle,
  { header, keyGroup, entries }: KeyGroupChunk,
): void {
  const { maxParallelism: stored } = header
  if (stored !== backend.maxParallelism) {
    throw MaxParallelismChanged({ what: 'this operator', stored, requested: backend.maxParallelism })
  }
  const targets: Target[] = header.states.map(({ name, kind, ttl }) => ({
    name,
    ttl,
    state: kind === 'timers' ? undefined : backend.rocksDbState(name, kind, ttl),
  }))
  const { decode } = backend.context.serializer
  for (const entry of entries()) {
    const target = targets[entry.stateIndex]
    if (target === undefined) {
      const reason = `it has no state number ${entry.stateIndex}`
      throw CorruptSnapshot({ where: `key group ${keyGroup}`, reason })
    }
    const { state, name, ttl } = target
    if (handle.delta === 'removals') {
      if (state !== undefined) remove(backend, state, entry, keyGroup)
    } else if (state !== undefined) put(backend, state, entry, ttl, handle.delta === 'changes')
    else if (handle.timersLater === undefined) {
      const { namespace } = entry
      backend.restoreTimer(name, {
        key: decode(entry.key),
        namespace,
        timestamp: decode(entry.value) as number,
      })
    }
  }
}

function put(
  { context }: RocksDbKeyedStateBackend,
  state: RocksDbState,
  entry: StoredEntry,
  ttl: TtlMode,
  replace: boolean,
): void {
  const { serializer, keys, batch } = context
  const key: Key = serializer.decode(entry.key)
  const canonical = canonicalKey(key)
  const namespaceBytes = encodeNamespace(entry.namespace)
  const prefix = keys.of(state.id, namespaceBytes, key, canonical)
  let { value } = entry
  let content: unknown
  if (ttl !== state.ttl || hasParts(state)) {
    // A subtask that had not asked for the state yet may have stored it as it was before the others changed it.
    content = convertStored(state.kind, serializer.decode(value), ttl, state.ttl, Number.NaN)
    if (ttl !== state.ttl) value = serializer.encode(content)
  }
  const storeKey = hasParts(state) ? joined(prefix, partOf(state, keys, content)) : prefix
  state.restored = true
  batch.put(storeKey, value, keys.original(key, canonical))
  if (hasParts(state)) return
  const table = state.table(entry.namespace)
  // What a handle without a delta has is in no other.
  if (!replace || context.get(storeKey) === undefined) table.size++
}

function partOf(state: RocksDbState, keys: StoreKeys, content: unknown): Uint8Array {
  const [first] = content as [unknown, unknown]
  return state.kind === 'map' ? keys.part(first) : indexPart(first as number)
}

/** See `keyed-format.ts`: a key, a map's key of a key, or all of a namespace in a key group. */
function remove(
  { context }: RocksDbKeyedStateBackend,
  state: RocksDbState,
  { namespace, key: keyBytes, value }: StoredEntry,
  keyGroup: number,
): void {
  const { serializer, keys, batch, store } = context
  const namespaceBytes = encodeNamespace(namespace)
  let prefix = statePrefix(keyGroup, state.id, namespaceBytes)
  if (keyBytes.length > 0) {
    const key: Key = serializer.decode(keyBytes)
    prefix = keys.of(state.id, namespaceBytes, key, canonicalKey(key))
    if (value.length > 0) prefix = joined(prefix, keys.part(serializer.decode(value)))
  }
  let count = 0
  for (const { key } of context.walk(prefix, above(prefix))) {
    // The prefix of a value's key may be that of a longer key.
    if (keyBytes.length > 0 && value.length === 0 && !hasParts(state) && key.length !== prefix.length)
      continue
    if (value.length > 0 && key.length !== prefix.length) continue
    batch.delete(key)
    count++
  }
  store.write(batch)
  if (hasParts(state) || count === 0) return
  const table = state.table(namespace)
  table.size -= count
  if (table.size === 0) state.unfilled(table)
}

function hasParts({ kind }: RocksDbState): boolean {
  return kind === 'map' || kind === 'list'
}

/** Drops lists of which all was over. Throws `state.corrupt-snapshot` if a piece of one is missing. */
function completeLists({ context }: RocksDbKeyedStateBackend, state: RocksDbState): void {
  const { serializer, keys, batch, store } = context
  let prefix: Uint8Array | undefined
  let pieces: Uint8Array[] = []
  let elements = 0
  const complete = (): void => {
    if (elements === 0) for (const key of pieces) batch.delete(key)
    if (batch.sizeBytes > BATCH_BYTES) store.write(batch)
  }
  for (const { key, value } of state.walk()) {
    const parsed = parseKey(key)
    if (prefix === undefined || Buffer.compare(prefix, parsed.prefix) !== 0) {
      complete()
      prefix = parsed.prefix
      pieces = []
      elements = 0
    }
    const [index, piece] = serializer.decode(storedOf(value)) as [number, unknown[]]
    if (index !== pieces.length) {
      throw CorruptSnapshot({
        where: `list state '${state.name}'`,
        reason: `pieces of the list of key ${inspect(serializer.decode(keys.encodedKey(parsed, value)))} are missing`,
      })
    }
    pieces.push(key)
    elements += piece.length
  }
  complete()
  store.write(batch)
}
