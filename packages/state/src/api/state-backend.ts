import type { RocksDbSettings } from '../backends/rocksdb/rocksdb-settings.ts'
import type { SnapshotCompression } from '../snapshot/keyed-format.ts'
import type { StateReader } from '../snapshot/read-key-groups.ts'
import type { KeyedStateHandle } from '../snapshot/state-handle.ts'
import type { KeyedStateBackend } from './keyed-state-backend.ts'

/** What a keyed backend of one operator instance is made with. */
export interface KeyedBackendOptions {
  /** Inclusive. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  /** Of the files of snapshots; `none` if absent. */
  readonly compression?: SnapshotCompression
  /** Whether snapshots may leave what has not changed to the files of completed ones; false if absent. */
  readonly incremental?: boolean
  /** Longest time that a snapshot works without a pause, in milliseconds; 1 if absent. */
  readonly snapshotSliceMs?: number
  /** Folder of this process for files of backends; the system's temporary folder if absent. */
  readonly localDirectory?: string | undefined
  /** Of the backend `rocksdb`. */
  readonly rocksDb?: RocksDbSettings | undefined
}

/**
 * A kind of keyed state: where values are kept and how snapshots are taken. Snapshots of all backends are in one format
 * (`KeyedSnapshotFile` writes it, `readKeyGroups` reads it), so that a job can change its backend by a restart. Operator
 * state, storage and timers are the same for all.
 *
 * A module of one's own whose default export is such an object is chosen by `state.backend.type: <module>`.
 */
export interface StateBackend {
  /** As in messages. */
  readonly name: string
  /** A backend with the state of `restored`, read before this resolves. Called in slot threads. */
  createKeyedBackend(
    options: KeyedBackendOptions,
    restored: readonly KeyedStateHandle[],
    storage: StateReader,
  ): Promise<KeyedStateBackend>
}
