import { createValueSerializer } from '@flink-ts/serialization'
import type { KeyedStateBackend } from '../../api/keyed-state-backend.ts'
import { CorruptSnapshot, MaxParallelismChanged } from '../../errors.ts'
import { type KeyGroupChunk, readKeyGroups, type StateReader } from '../../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { type HashMapBackendOptions, HashMapKeyedStateBackend } from './hash-map-keyed-state-backend.ts'
import { convertStored } from './ttl/convert-times.ts'

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
  const serializer = createValueSerializer()
  for (const handle of restored) {
    for await (const chunk of readKeyGroups(handle, options.keyGroupRange, storage)) {
      restoreChunk(backend, chunk, serializer.decode)
    }
  }
  for (const { types } of restored) backend.noteTypes(types ?? {})
  backend.completeRestore()
  return backend
}

function restoreChunk(
  backend: HashMapKeyedStateBackend,
  { header, keyGroup, entries }: KeyGroupChunk,
  decode: (bytes: Uint8Array) => unknown,
): void {
  if (header.maxParallelism !== backend.maxParallelism) {
    throw MaxParallelismChanged({
      what: 'this operator',
      stored: header.maxParallelism,
      requested: backend.maxParallelism,
    })
  }
  const targets = header.states.map(({ name, kind, ttl }) =>
    kind === 'timers'
      ? { name, ttl, state: undefined }
      : { name, ttl, state: backend.heapState({ name, kind, ttl }) },
  )
  for (const { stateIndex, namespace, key, value } of entries()) {
    const target = targets[stateIndex]
    if (target === undefined) {
      throw CorruptSnapshot({
        where: `key group ${keyGroup}`,
        reason: `it has no state number ${stateIndex}`,
      })
    }
    const { state } = target
    if (state !== undefined) {
      // A subtask that had not asked for the state yet may have stored it as it was before the others changed it.
      const stored = convertStored(state.kind, decode(value), target.ttl, state.ttl, Number.NaN)
      state.restore(namespace, decode(key), stored)
    } else
      backend.restoreTimer(target.name, { key: decode(key), namespace, timestamp: decode(value) as number })
  }
}
