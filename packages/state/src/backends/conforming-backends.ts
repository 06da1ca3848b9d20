import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import type { KeyedStateBackend } from '../api/keyed-state-backend.ts'
import type { KeyedBackendOptions } from '../api/state-backend.ts'
import type { StateReader } from '../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../snapshot/state-handle.ts'
import { createHashMapKeyedStateBackend } from './hashmap/create-hash-map-keyed-state-backend.ts'
import { createRocksDbKeyedStateBackend } from './rocksdb/rocksdb-state-backend.ts'

/** A backend that the tests of the whole contract run with. */
export interface ConformingBackend {
  readonly name: string
  /** What it needs is not on this host. */
  readonly skipped: boolean
  /** Of runs of property tests: stores are files, which take milliseconds to open. */
  readonly runsPercent: number
  create(
    options: KeyedBackendOptions,
    restored: readonly KeyedStateHandle[],
    storage: StateReader,
  ): Promise<KeyedStateBackend>
}

const opened: KeyedStateBackend[] = []

/** For tests: backends that keep the whole contract. */
export const CONFORMING_BACKENDS: readonly ConformingBackend[] = [
  { name: 'hashmap', skipped: false, runsPercent: 100, create: createHashMapKeyedStateBackend },
  {
    name: 'rocksdb',
    skipped: rocksDbProblem() !== undefined,
    runsPercent: 10,
    create: async (options, restored, storage) => {
      const backend = await createRocksDbKeyedStateBackend(
        {
          ...options,
          // Files that are never synced to a disk.
          localDirectory: existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
          // So few that values come and go all the time.
          cache: { cells: 5, sizeBytes: 1 << 16 },
        },
        restored,
        storage,
      )
      opened.push(backend)
      return backend
    },
  },
]

/** Closes all that were opened: for `afterEach`. */
export function closeBackends(): void {
  for (const backend of opened.splice(0)) backend.close?.()
}

/** The backend that the tests of a group run with. */
export class TestedBackend implements Pick<ConformingBackend, 'create' | 'runsPercent'> {
  #backend: ConformingBackend = CONFORMING_BACKENDS[0] as ConformingBackend

  /** For `beforeEach`. */
  use(backend: ConformingBackend, context: { skip(): void }): void {
    if (backend.skipped) context.skip()
    this.#backend = backend
  }

  get runsPercent(): number {
    return this.#backend.runsPercent
  }

  create(...parameters: Parameters<ConformingBackend['create']>): Promise<KeyedStateBackend> {
    return this.#backend.create(...parameters)
  }
}
