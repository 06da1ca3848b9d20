import type { Logger } from '@flink-ts/common'
import type { JobProgress, RecordedCheckpoint, RecordedFolder } from '@flink-ts/highavailability'
import type { SavepointStorage } from '@flink-ts/state'
import type { DiscardAction } from '../checkpoint/aborted-folders.ts'
import type { CompletedCheckpoint } from '../checkpoint/completed-store.ts'
import type { RecoveredCheckpoints } from '../checkpoint/coordinator-state.ts'
import { RestoreFailed } from '../errors.ts'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'

/** Of so many leaders before this one the folders that do not count are known. */
const MAX_ABANDONED = 50

/** What is complete as it is recorded. */
export function recordedProgress(
  content: Omit<RecoveredCheckpoints, 'nextId'>,
  facts: Pick<JobProgress, 'idsFrom' | 'idsBelow' | 'startedAt'>,
): JobProgress {
  const { checkpoints, referred, claimed, discarded, latestSavepointId, abandoned } = content
  return {
    checkpoints: checkpoints.map(recordedCheckpoint),
    referred,
    discarded: discarded.map(recordedFolder),
    claimed: claimed && recordedFolder(claimed),
    latestSavepointId,
    abandoned,
    ...facts,
  }
}

/** A folder that is to go, as it is recorded. */
export function recordedFolder({ checkpointId, savepoint }: DiscardAction): RecordedFolder {
  return { checkpointId, ...(savepoint !== undefined && { savepoint }) }
}

/**
 * What a former JobMaster has left, with the metadata of its checkpoints. Older checkpoints that cannot be read are left
 * out. Rejects with `jobmanager.restore-failed` if the latest can't be.
 */
export async function readProgress(
  progress: JobProgress,
  dependencies: { readonly savepoints: SavepointStorage; readonly logger: Logger },
): Promise<RecoveredCheckpoints> {
  const checkpoints: CompletedCheckpoint[] = []
  const latest = progress.checkpoints.at(-1)
  for (const { origins, ...recorded } of progress.checkpoints) {
    try {
      const metadata = await dependencies.savepoints.readMetadata(recorded.pointer)
      checkpoints.push({ ...recorded, metadata, origins: new Map(origins as [SubtaskKey, number][]) })
    } catch (error) {
      const path = recorded.pointer
      if (recorded.id === latest?.id)
        throw RestoreFailed({ path, reason: error instanceof Error ? error.message : String(error) }, error)
      dependencies.logger.warn({ pointer: path, error }, 'An older checkpoint cannot be read and is left out')
    }
  }
  const { referred, claimed, discarded, latestSavepointId, idsFrom, idsBelow } = progress
  const unrecorded = [Math.max(idsFrom, (latest?.id ?? 0) + 1), idsBelow] as const
  return {
    checkpoints,
    referred,
    claimed: claimed && discardOf(claimed),
    discarded: discarded.map(discardOf),
    latestSavepointId,
    abandoned: [...progress.abandoned, unrecorded].slice(-MAX_ABANDONED),
    nextId: idsBelow,
  }
}

function discardOf(folder: RecordedFolder): DiscardAction {
  return { type: 'discard', ...folder }
}

function recordedCheckpoint(checkpoint: CompletedCheckpoint): RecordedCheckpoint {
  const { id, pointer, origins, stateBytes, durationMs, external } = checkpoint
  return { id, pointer, origins: [...origins], stateBytes, durationMs, external }
}
