import type { JobId } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import type { CheckpointMetadata, CheckpointStorage } from '@flink-ts/state'
import { checkRestorable } from '../checkpoint/state-assignment.ts'
import { CheckpointDirectoryMissing, RestoreFailed } from '../errors.ts'

/** What a job needs before its tasks can be scheduled. */
export interface JobStart {
  /** Undefined: the job takes no checkpoints and starts from nothing. */
  readonly storage: CheckpointStorage | undefined
  /** Snapshot that the job starts from. */
  readonly restored: CheckpointMetadata | undefined
}

/**
 * Opens the checkpoint storage of a job and reads the snapshot it starts from.
 * @param storageFactory its argument `directory` is the base URI of the checkpoints of all jobs
 * @throws jobmanager.checkpoint-directory-missing, jobmanager.restore-failed, jobmanager.state-not-restored,
 *   jobmanager.max-parallelism-changed, state.checkpoint-directory-unusable
 */
export async function prepareStart(
  { jobId, graph, checkpointDirectory }: JobInformation,
  storageFactory: (directory: string, jobId: JobId) => CheckpointStorage,
): Promise<JobStart> {
  const { restoreFrom } = graph
  const takesCheckpoints = graph.checkpointing.intervalMs !== undefined
  if (!takesCheckpoints && restoreFrom === undefined) return { storage: undefined, restored: undefined }
  if (checkpointDirectory === undefined) throw CheckpointDirectoryMissing({ jobName: graph.name })
  const storage = storageFactory(checkpointDirectory, jobId)
  if (takesCheckpoints) await storage.prepare()
  if (restoreFrom === undefined) return { storage, restored: undefined }
  const restored = await readSnapshot(storage, restoreFrom.path)
  checkRestorable(graph, restored, restoreFrom)
  return { storage, restored }
}

async function readSnapshot(storage: CheckpointStorage, path: string): Promise<CheckpointMetadata> {
  try {
    return await storage.readMetadata(path)
  } catch (error) {
    throw RestoreFailed({ path, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}
