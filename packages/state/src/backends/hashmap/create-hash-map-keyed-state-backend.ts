import { createValueDecoder } from '@flink-ts/serialization'
import type { KeyedStateBackend } from '../../api/keyed-state-backend.ts'
import { CorruptSnapshot, MaxParallelismChanged } from '../../errors.ts'
import type { KeyedSnapshotHeader, StoredEntry } from '../../snapshot/keyed-format.ts'
import { LinkedHandles } from '../../snapshot/linked-handles.ts'
import { type KeyGroupChunk, readKeyGroups, type StateReader } from '../../snapshot/read-key-groups.ts'
import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'
import { type HashMapBackendOptions, HashMapKeyedStateBackend } from './hash-map-keyed-state-backend.ts'
import type { HeapState } from './heap-state.ts'
import { convertStored, type TtlMode } from './ttl/convert-times.ts'
import { hasParts } from './value-parts.ts'

type Decode = ReturnType<typeof createValueDecoder>

/**
 * A heap backend with the state of `restored`: of each handle only the key groups of its own range are read, and all
 * before this resolves. Throws `state.corrupt-snapshot`, `state.newer-format`, `state.max-parallelism-changed`,
 * `state.kind-mismatch` and errors of the storage.
 */
export async function createHashMapKeyedStateBackend(
  options: HashMapBackendOptions,
  restored: readonly KeyedStateHandle[],
  storage: StateReader,
): Promise<KeyedStateBackend> {
  const backend = new HashMapKeyedStateBackend(options)
  const decode = createValueDecoder()
  const linked = new LinkedHandles(restored, { storage })
  try {
    for (const handle of linked.handles) {
      const drops = new Drops()
      let isFirst = handle.delta === undefined
      for await (const chunk of readKeyGroups(handle, options.keyGroupRange, storage)) {
        if (handle.delta === 'removals') restoreRemovals(backend, chunk, decode, drops)
        else {
          if (isFirst) reserveTables(backend, chunk, shareBytes(handle, options.keyGroupRange))
          isFirst = false
          restoreChunk(backend, chunk, handle, decode)
        }
      }
      drops.apply(backend.maxParallelism)
    }
  } finally {
    linked.close()
  }
  for (const { types } of restored) backend.noteTypes(types ?? {})
  backend.completeRestore()
  return backend
}

function restoreChunk(
  backend: HashMapKeyedStateBackend,
  chunk: KeyGroupChunk,
  handle: KeyedStateHandle,
  decode: Decode,
): void {
  const { header, keyGroup } = chunk
  checkMaxParallelism(backend, header)
  const replace = handle.delta === 'changes'
  const targets = targetsOf(backend, header)
  const restore = (stateIndex: number, namespace: StoredEntry['namespace'], key: unknown, value: unknown) => {
    const target = targetAt(targets, stateIndex, keyGroup)
    const { state } = target
    if (state !== undefined) {
      // A subtask that had not asked for the state yet may have stored it as it was before the others changed it.
      const stored = convertStored(state.kind, value, target.ttl, state.ttl, Number.NaN)
      state.restore(namespace, key, stored, replace)
    } else if (handle.timersLater === undefined)
      backend.restoreTimer(target.name, { key, namespace, timestamp: value as number })
  }
  const cursor = chunk.cursor?.()
  if (cursor === undefined) {
    for (const { stateIndex, namespace, key, value } of chunk.entries())
      restore(stateIndex, namespace, decode(key), decode(value))
    return
  }
  const { body } = cursor
  while (cursor.next()) {
    const key = decode(body, cursor.keyStart, cursor.keyEnd)
    restore(cursor.stateIndex, cursor.namespace, key, decode(body, cursor.valueStart, cursor.valueEnd))
  }
}

/** What is to be read of a handle, about. */
function shareBytes(
  { keyGroupRange, location }: KeyedStateHandle,
  range: KeyedStateHandle['keyGroupRange'],
): number {
  const groups = Math.min(keyGroupRange.end, range.end) - Math.max(keyGroupRange.start, range.start) + 1
  return (locationSizeBytes(location) * groups) / (keyGroupRange.end - keyGroupRange.start + 1)
}

/** Makes room for the keys of a file of so many bytes if all of it is like its first chunk: see {@link HeapTable.reserve}. */
function reserveTables(backend: HashMapKeyedStateBackend, chunk: KeyGroupChunk, sizeBytes: number): void {
  const cursor = chunk.cursor?.()
  if (cursor === undefined) return
  const counts = new Map<number, number>()
  while (cursor.next()) {
    if (cursor.namespace === undefined)
      counts.set(cursor.stateIndex, (counts.get(cursor.stateIndex) ?? 0) + 1)
  }
  const targets = targetsOf(backend, chunk.header)
  for (const [index, count] of counts) {
    const state = targets[index]?.state
    if (state === undefined || hasParts(state.kind)) continue
    state.table(undefined).reserve((count * sizeBytes) / cursor.body.length)
  }
}

/** Takes away what was removed since the handles before this one: see `keyed-format.ts`. */
function restoreRemovals(
  backend: HashMapKeyedStateBackend,
  { header, keyGroup, entries }: KeyGroupChunk,
  decode: Decode,
  drops: Drops,
): void {
  checkMaxParallelism(backend, header)
  const targets = targetsOf(backend, header)
  for (const { stateIndex, namespace, key, value } of entries()) {
    const { state } = targetAt(targets, stateIndex, keyGroup)
    if (key.length > 0) state?.restoreRemoval(namespace, decode(key), value.length > 0 ? [decode(value)] : [])
    else if (state !== undefined) drops.add(state, namespace, keyGroup)
  }
}

/** Namespaces that a file says were dropped, with the key groups it says so for: one pass over each, not one a group. */
class Drops {
  readonly #groups = new Map<HeapState<unknown>, Map<string | number | undefined, Set<number>>>()

  add(state: HeapState<unknown>, namespace: string | number | undefined, keyGroup: number): void {
    const namespaces = this.#groups.get(state) ?? new Map<string | number | undefined, Set<number>>()
    this.#groups.set(state, namespaces)
    const groups = namespaces.get(namespace) ?? new Set<number>()
    namespaces.set(namespace, groups.add(keyGroup))
  }

  apply(maxParallelism: number): void {
    for (const [state, namespaces] of this.#groups) {
      for (const [namespace, groups] of namespaces) {
        state.restoreDrop(namespace, hash => groups.has(hash % maxParallelism))
      }
    }
  }
}

function checkMaxParallelism(backend: HashMapKeyedStateBackend, header: KeyedSnapshotHeader): void {
  if (header.maxParallelism !== backend.maxParallelism) {
    throw MaxParallelismChanged({
      what: 'this operator',
      stored: header.maxParallelism,
      requested: backend.maxParallelism,
    })
  }
}

interface Target {
  readonly name: string
  readonly ttl: TtlMode
  /** Undefined: timers. */
  readonly state: HeapState<unknown> | undefined
}

function targetsOf(backend: HashMapKeyedStateBackend, header: KeyedSnapshotHeader): readonly Target[] {
  return header.states.map(({ name, kind, ttl }) => ({
    name,
    ttl,
    state: kind === 'timers' ? undefined : backend.heapState<unknown>({ name, kind, ttl }),
  }))
}

function targetAt(targets: readonly Target[], stateIndex: number, keyGroup: number): Target {
  const target = targets[stateIndex]
  if (target !== undefined) return target
  throw CorruptSnapshot({ where: `key group ${keyGroup}`, reason: `it has no state number ${stateIndex}` })
}
