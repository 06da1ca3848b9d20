import type { Random } from '@flink-ts/common'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import type { JobInformation } from '@flink-ts/gateways'
import {
  type CheckpointStorage,
  createHashMapKeyedStateBackend,
  createOperatorStateBackend,
  FileCheckpointStorage,
  type StateLocation,
  type StateReader,
  type StateSettings,
} from '@flink-ts/state'
import { CheckpointDirectoryMissing, InvalidDeployment } from '../errors.ts'
import type { StateBackends } from '../stream-task/task-ports.ts'

/** Checkpoint storage of a job; undefined: it takes none. Throws `taskmanager.checkpoint-directory-missing`. */
export function storageOf(
  job: JobInformation,
  options: StateSettings,
  dependencies: { readonly random: Random },
): CheckpointStorage | undefined {
  const directory = job.checkpointDirectory
  if (directory === undefined) {
    if (job.graph.checkpointing.intervalMs === undefined) return undefined
    throw CheckpointDirectoryMissing({ job: job.graph.name })
  }
  const { inlineThresholdBytes } = options
  return new FileCheckpointStorage(
    { directory, jobId: job.jobId, inlineThresholdBytes },
    { fileSystem: fileSystemFor(toUri(directory)), random: dependencies.random },
  )
}

/** The state backends of the tasks of a thread. */
export function backendsOf(storage: CheckpointStorage | undefined, settings: StateSettings): StateBackends {
  const reader: StateReader & Pick<CheckpointStorage, 'read'> = storage ?? INLINE_ONLY
  return {
    keyed: (options, restored) =>
      createHashMapKeyedStateBackend({ ...options, compression: settings.compression }, restored, reader),
    operator: restored => createOperatorStateBackend(restored, reader),
  }
}

/** Without checkpoint storage there is nothing to restore but what came with the deployment. */
const INLINE_ONLY: StateReader & Pick<CheckpointStorage, 'read'> = {
  read: async location => inlineContent(location),
  readRange: async (location, start, end) => inlineContent(location).subarray(start, end),
}

function inlineContent(location: StateLocation): Buffer {
  if (location.type === 'inline') return Buffer.from(location.base64, 'base64')
  throw InvalidDeployment({
    task: location.path,
    problem: 'state is to be restored but there is no checkpoint directory',
  })
}
