import type { Logger, Random } from '@flink-ts/common'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import type { JobInformation } from '@flink-ts/gateways'
import {
  type CheckpointStorage,
  createOperatorStateBackend,
  FileCheckpointStorage,
  FileSavepointStorage,
  LocalCopies,
  LocallyCopiedStorage,
  loadStateBackend,
  type SavepointStorage,
  type StateSettings,
} from '@flink-ts/state'
import { CheckpointDirectoryMissing } from '../errors.ts'
import type { StateBackends } from '../stream-task/task-ports.ts'

/**
 * Checkpoint storage of a job; undefined: it takes none. Throws `taskmanager.checkpoint-directory-missing`.
 * @param localFolders for copies on this host; empty: none are kept
 */
export function storageOf(
  job: JobInformation,
  options: StateSettings,
  localFolders: readonly string[],
  dependencies: { readonly random: Random; readonly logger: Logger },
): CheckpointStorage | undefined {
  const directory = job.checkpointDirectory
  if (directory === undefined) {
    if (job.graph.checkpointing.intervalMs === undefined) return undefined
    throw CheckpointDirectoryMissing({ job: job.graph.name })
  }
  const { inlineThresholdBytes, localCopies } = options
  const storage = new FileCheckpointStorage(
    { directory, jobId: job.jobId, inlineThresholdBytes },
    { fileSystem: fileSystemFor(toUri(directory)), random: dependencies.random },
  )
  const [own, ...others] = localFolders
  if (own === undefined || localCopies === undefined || !(localCopies.write || localCopies.read))
    return storage
  const copies = new LocalCopies(
    { folders: [own, ...others] },
    { ...dependencies, fileSystem: fileSystemFor(own) },
  )
  return new LocallyCopiedStorage(localCopies, { storage, copies })
}

/** Where savepoints of any job go; also reads the files of any snapshot. */
export function savepointStorageOf(
  { inlineThresholdBytes }: StateSettings,
  { random }: { readonly random: Random },
): SavepointStorage {
  return new FileSavepointStorage({ inlineThresholdBytes }, { fileSystemFor, random })
}

/** The state backends of the tasks of a thread. */
export function backendsOf(
  storage: CheckpointStorage | undefined,
  savepoints: SavepointStorage,
  settings: StateSettings,
): StateBackends {
  const reader = storage ?? savepoints
  return {
    keyed: async (options, restored) => {
      const { createKeyedBackend } = await loadStateBackend(settings.backend)
      const { compression, incremental, localDirectory, rocksDb } = settings
      return createKeyedBackend(
        { ...options, compression, incremental, localDirectory, rocksDb },
        restored,
        reader,
      )
    },
    operator: restored => createOperatorStateBackend(restored, reader),
    read: location => reader.read(location),
  }
}
