import {
  booleanType,
  type Configuration,
  memorySizeType,
  type OptionType,
  option,
  stringType,
} from '@flink-ts/common'
import type { RocksDbSettings } from './backends/rocksdb/rocksdb-settings.ts'
import { rocksDbSettingsOf } from './rocksdb-options.ts'
import type { SnapshotCompression } from './snapshot/keyed-format.ts'

/** Inline state travels in messages and in `_metadata`: more than this belongs into files. */
const MAX_INLINE_BYTES = 1 << 20

const inlineSize: OptionType<number> = {
  expected: 'a memory size of at most 1 mb',
  parse: text => {
    const sizeBytes = memorySizeType.parse(text)
    return sizeBytes !== undefined && sizeBytes <= MAX_INLINE_BYTES ? sizeBytes : undefined
  },
  format: memorySizeType.format,
}

/** Below this size, state is part of the checkpoint's metadata instead of a file of its own. */
export const CHECKPOINT_INLINE_THRESHOLD = option(
  'execution.checkpointing.data-inline-threshold',
  inlineSize,
  {
    defaultValue: 20 * 1024,
    description:
      'State of an operator instance up to this size is written into the metadata of the checkpoint, larger state into ' +
      'a file. At most 1 mb.',
    deprecatedKeys: ['state.storage.fs.memory-threshold', 'state.backend.fs.memory-threshold'],
  },
)

/** Whether state files are compressed. */
export const SNAPSHOT_COMPRESSION = option('execution.checkpointing.snapshot-compression', booleanType, {
  defaultValue: false,
  description:
    'Compress keyed state in snapshots by zstd, each key group for itself. Saves space and network at the cost of CPU.',
})

/** Whether checkpoints leave out what has not changed. */
export const INCREMENTAL_CHECKPOINTS = option('execution.checkpointing.incremental', booleanType, {
  defaultValue: false,
  description:
    'Write only what has changed since the last completed checkpoint, and refer to its files for the rest. Everything ' +
    'is written again when changes come to half of the state, and in savepoints.',
  deprecatedKeys: ['state.backend.incremental'],
})

/** Where keyed state is kept. */
export const STATE_BACKEND = option('state.backend.type', stringType, {
  defaultValue: 'hashmap',
  description:
    'Where keyed state is kept: hashmap (heap; also by the old names jobmanager and filesystem), rocksdb (on the local ' +
    'disk, larger than memory), plain (a small example), or a module whose default export is a StateBackend.',
  deprecatedKeys: ['state.backend'],
})

/** Whether a restart reads local copies. */
export const STATE_RECOVERY_FROM_LOCAL = option('execution.state-recovery.from-local', booleanType, {
  defaultValue: false,
  description:
    'Tasks that restart on the same TaskManager read their state from copies on its disk instead of the checkpoint ' +
    'storage. What has no copy, or a damaged one, is read from the storage.',
  deprecatedKeys: ['state.backend.local-recovery'],
})

/** Whether checkpoints leave local copies. */
export const LOCAL_BACKUP = option(
  'execution.checkpointing.local-backup.enabled',
  booleanType as OptionType<boolean | undefined>,
  {
    defaultValue: undefined,
    description:
      'Checkpoints leave a copy of each state file on the disk of the TaskManager that wrote it, until a newer checkpoint ' +
      'takes its place. Default: as execution.state-recovery.from-local.',
  },
)

/** How state is kept and stored. Plain data. */
export interface StateSettings {
  /** Name or module of the state backend. */
  readonly backend: string
  /** State up to this size travels with the acknowledgement instead of in a file. */
  readonly inlineThresholdBytes: number
  readonly compression: SnapshotCompression
  readonly incremental: boolean
  /** Folder of this TaskManager for state that is kept in files. Absent: the system's temporary one. */
  readonly localDirectory?: string | undefined
  /** Of the backend `rocksdb`. */
  readonly rocksDb?: RocksDbSettings
  /** Copies of state files on the host of the task: whether they are made, and used. Absent: neither. */
  readonly localCopies?: { readonly write: boolean; readonly read: boolean }
}

/** Throws `common.invalid-option-value`. */
export function stateSettingsOf(configuration: Configuration): StateSettings {
  return {
    backend: configuration.get(STATE_BACKEND),
    inlineThresholdBytes: configuration.get(CHECKPOINT_INLINE_THRESHOLD),
    compression: configuration.get(SNAPSHOT_COMPRESSION) ? 'zstd' : 'none',
    incremental: configuration.get(INCREMENTAL_CHECKPOINTS),
    localCopies: localCopiesOf(configuration),
    rocksDb: rocksDbSettingsOf(configuration),
  }
}

function localCopiesOf(configuration: Configuration): { readonly write: boolean; readonly read: boolean } {
  const read = configuration.get(STATE_RECOVERY_FROM_LOCAL)
  return { write: configuration.get(LOCAL_BACKUP) ?? read, read }
}

/** What a job sets itself, over what the cluster is configured to do. Throws `common.invalid-option-value`. */
export function jobStateSettingsOf(
  configuration: Configuration,
): Partial<Pick<StateSettings, 'backend' | 'compression' | 'incremental' | 'localCopies'>> {
  const { backend, compression, incremental } = stateSettingsOf(configuration)
  return {
    ...(configuration.has(STATE_BACKEND) && { backend }),
    ...(configuration.has(SNAPSHOT_COMPRESSION) && { compression }),
    ...(configuration.has(INCREMENTAL_CHECKPOINTS) && { incremental }),
    ...((configuration.has(STATE_RECOVERY_FROM_LOCAL) || configuration.has(LOCAL_BACKUP)) && {
      localCopies: localCopiesOf(configuration),
    }),
  }
}
