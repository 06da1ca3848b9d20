import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import type { StateBackend } from '../api/state-backend.ts'
import { StateBackendNotLoaded } from '../errors.ts'
import { hashMapStateBackend } from './hashmap/hash-map-state-backend.ts'

/** Names of Flink's versions that mean state on the heap; where checkpoints go is a setting of its own now. */
const HEAP_NAMES: ReadonlySet<string> = new Set([
  'hashmap',
  'jobmanager',
  'filesystem',
  'memory',
  'org.apache.flink.runtime.state.hashmap.HashMapStateBackendFactory',
  'org.apache.flink.runtime.state.filesystem.FsStateBackendFactory',
  'org.apache.flink.runtime.state.memory.MemoryStateBackendFactory',
])

/** By the name of now, or that of Flink's factory. */
const isRocksDb = (name: string): boolean => /^rocksdb$|RocksDBStateBackendFactory$/i.test(name)

/** Why jobs with this backend cannot run on this host; undefined: nothing is known to speak against it. Loads nothing. */
export function stateBackendProblem(name: string): Error | undefined {
  return isRocksDb(name) ? rocksDbProblem() : undefined
}

/**
 * The state backend of a name: `hashmap` and its old names, `rocksdb`, `plain`, or a module (package, path or URL) with a
 * {@link StateBackend} as its default export. Throws `state.backend-not-loaded`,
 * and where it is used `rocksdb.not-installed`.
 */
export async function loadStateBackend(name: string): Promise<StateBackend> {
  if (HEAP_NAMES.has(name)) return hashMapStateBackend
  if (name === 'plain') return (await import('./plain/plain-state-backend.ts')).plainStateBackend
  if (isRocksDb(name)) return (await import('./rocksdb/rocksdb-state-backend.ts')).rocksDbStateBackend
  let module: { readonly default?: Partial<StateBackend> }
  try {
    module = (await import(isAbsolute(name) ? pathToFileURL(name).href : name)) as typeof module
  } catch (error) {
    throw StateBackendNotLoaded(
      { name, reason: error instanceof Error ? error.message : String(error) },
      error,
    )
  }
  const backend = module.default
  if (typeof backend?.name !== 'string' || typeof backend.createKeyedBackend !== 'function') {
    const reason =
      'the default export of that module is no StateBackend: an object with name and createKeyedBackend'
    throw StateBackendNotLoaded({ name, reason })
  }
  return backend as StateBackend
}
