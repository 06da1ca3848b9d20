import type { JobId, Logger } from '@flink-ts/common'
import type {
  DispatcherDependencies,
  FinishedJob,
  JobMasterRunner,
  RecoveredJobs,
} from '@flink-ts/dispatcher'
import type { JobSubmission } from '@flink-ts/gateways'
import type { JobProgress, JobStore, StoredJob } from '@flink-ts/highavailability'
import { cachedBlobKeys } from '@flink-ts/jobgraph'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import type { LeadershipTerm } from './job-manager-components.ts'

/** The jobs of a store as the Dispatcher takes them over. */
export function recoveredJobs(
  found: readonly StoredJob[],
  nowMs: number,
  start: (submission: JobSubmission, progress?: JobProgress) => JobMasterRunner,
): RecoveredJobs {
  return {
    running: found.flatMap(({ jobId, record, submission }) =>
      record.status === 'running'
        ? [
            {
              jobId,
              submission: submission as JobSubmission,
              start: () => start(submission as JobSubmission, record.progress),
            },
          ]
        : [],
    ),
    finished: found
      .flatMap(({ jobId, record }) =>
        record.status === 'over'
          ? [{ jobId, job: record.outcome as FinishedJob, ageMs: nowMs - record.endedAt }]
          : [],
      )
      .sort((a, b) => b.ageMs - a.ageMs),
  }
}

/** What the Dispatcher keeps of its jobs in a store. */
export function durableJobs(store: JobStore, logger: Logger): NonNullable<DispatcherDependencies['jobs']> {
  const forget = async (jobId: JobId): Promise<void> => {
    try {
      await store.remove(jobId)
    } catch (error) {
      logger.warn({ jobId, error }, 'A job that is over is not forgotten: the next leader still knows it')
    }
  }
  return {
    async add(submission) {
      const { graph, program } = submission
      const code = program.code.type === 'bundle' ? [program.code.blobKey] : []
      const blobKeys = [...code, ...cachedBlobKeys(graph.cachedFiles)]
      try {
        await store.add(graph.jobId, submission, blobKeys)
      } catch (error) {
        // Its client hears that it was not accepted.
        await forget(graph.jobId)
        throw error
      }
    },
    forget,
  }
}

/** Removes what is left of jobs that were over when their leader was lost. Never rejects. */
export async function removeLeftovers(
  { found, store }: LeadershipTerm,
  dependencies: {
    readonly storageFactory: (directory: string, jobId: string) => CheckpointStorage
    readonly savepoints: SavepointStorage
    readonly logger: Logger
  },
): Promise<void> {
  const { storageFactory, savepoints, logger } = dependencies
  for (const { jobId, record, blobKeys } of found) {
    if (record.status !== 'over' || record.leftovers === undefined) continue
    const { directory, folders } = record.leftovers
    try {
      const storage = directory === undefined ? undefined : storageFactory(directory, jobId)
      for (const { checkpointId, savepoint } of folders) {
        if (savepoint === undefined) await storage?.discard(checkpointId)
        else await savepoints.discard(savepoint)
      }
      await storage?.discardJob()
      await store.record(jobId, { ...record, leftovers: undefined }, blobKeys)
      logger.info({ jobId }, 'What was left of a job that is over is removed')
    } catch (error) {
      logger.warn(
        { jobId, error },
        'What is left of a job that is over is not removed: the next leader tries',
      )
    }
  }
}
