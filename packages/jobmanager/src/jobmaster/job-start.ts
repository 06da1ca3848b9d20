import type { JobId, Logger } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import type { JobProgress } from '@flink-ts/highavailability'
import type { CheckpointMetadata, CheckpointStorage, FoundSnapshot, SavepointStorage } from '@flink-ts/state'
import type { RecoveredCheckpoints, RestoredSnapshot } from '../checkpoint/coordinator-state.ts'
import { checkRestorable } from '../checkpoint/state-assignment.ts'
import { CheckpointDirectoryMissing, LatestIsDrained, NoSnapshotFound, RestoreFailed } from '../errors.ts'
import { readProgress } from './recorded-progress.ts'

/** What a job needs before its tasks can be scheduled. */
export interface JobStart {
  /** Undefined: the job takes no checkpoints. */
  readonly storage: CheckpointStorage | undefined
  /** Snapshot that the job starts from. */
  readonly restored: RestoredSnapshot | undefined
  /** What a former JobMaster of the job has left: goes before the snapshot. */
  readonly recovered: RecoveredCheckpoints | undefined
}

/** What {@link prepareStart} needs. */
export interface JobStartDependencies {
  /** @param directory base URI of the checkpoints of all jobs */
  readonly storageFactory: (directory: string, jobId: JobId) => CheckpointStorage
  readonly savepoints: SavepointStorage
  readonly logger: Logger
}

/**
 * Opens the checkpoint storage of a job and reads the snapshot it starts from.
 * @param progress what is recorded of a former JobMaster of the job
 * @param savepointDirectory where `latest` also looks; empty: nowhere else
 * @throws jobmanager.checkpoint-directory-missing, jobmanager.restore-failed, jobmanager.no-snapshot-found,
 *   jobmanager.latest-is-drained, jobmanager.state-not-restored, jobmanager.max-parallelism-changed, state.checkpoint-directory-unusable
 */
export async function prepareStart(
  job: JobInformation,
  progress: JobProgress | undefined,
  savepointDirectory: string,
  dependencies: JobStartDependencies,
): Promise<JobStart> {
  const { jobId, graph, checkpointDirectory } = job
  let storage: CheckpointStorage | undefined
  if (graph.checkpointing.intervalMs !== undefined) {
    if (checkpointDirectory === undefined) throw CheckpointDirectoryMissing({ jobName: graph.name })
    storage = dependencies.storageFactory(checkpointDirectory, jobId)
    await storage.prepare()
  }
  const recovered = progress && (await readProgress(progress, dependencies))
  const latest = recovered?.checkpoints.at(-1)
  const { logger } = dependencies
  if (latest !== undefined) {
    const { id: checkpointId, pointer } = latest
    logger.info({ pointer, checkpointId }, 'Job goes on from the last checkpoint of its former JobMaster')
    return { storage, restored: undefined, recovered }
  }
  const { restoreFrom } = graph
  if (restoreFrom === undefined) return { storage, restored: undefined, recovered }
  const { pointer, metadata } =
    restoreFrom.path === 'latest'
      ? await findLatest(job, savepointDirectory, dependencies.savepoints)
      : await read(restoreFrom.path, dependencies.savepoints)
  const dropped = checkRestorable(graph, metadata, { ...restoreFrom, path: pointer })
  if (dropped.length > 0)
    logger.warn({ pointer, operators: dropped }, 'State that no operator takes over is dropped')
  const { checkpointId, jobId: takenBy, timestamp: takenAt } = metadata
  const { claimMode } = restoreFrom
  logger.info({ pointer, checkpointId, takenBy, takenAt, claimMode }, 'Job starts from a snapshot')
  const claimed = restoreFrom.claimMode === 'claim'
  return { storage, restored: { pointer, metadata, claimed }, recovered }
}

async function findLatest(
  { graph, checkpointDirectory }: JobInformation,
  savepointDirectory: string,
  savepoints: SavepointStorage,
): Promise<FoundSnapshot> {
  const directories = [checkpointDirectory ?? '', savepointDirectory].filter(directory => directory !== '')
  const found = await savepoints.findLatest(directories, graph.name)
  const jobName = graph.name
  if (found === undefined) throw NoSnapshotFound({ jobName, directories })
  const { pointer, metadata } = found
  if (metadata.drained === true) throw LatestIsDrained({ jobName, path: pointer, jobId: metadata.jobId })
  return found
}

async function read(path: string, savepoints: SavepointStorage): Promise<FoundSnapshot> {
  try {
    const metadata: CheckpointMetadata = await savepoints.readMetadata(path)
    return { pointer: path.replace(/\/_metadata$/, ''), metadata }
  } catch (error) {
    throw RestoreFailed({ path, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}
