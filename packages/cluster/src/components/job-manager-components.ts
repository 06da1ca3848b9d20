import type { Clock, Configuration, LeaderSessionId, Logger, Random } from '@flink-ts/common'
import { Dispatcher, type FinishedJob, finishedJobOf } from '@flink-ts/dispatcher'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import type { JobSubmission } from '@flink-ts/gateways'
import { type JobProgress, type JobStore, recorderOf, type StoredJob } from '@flink-ts/highavailability'
import { type JobHostLauncher, JobHostPool, JobManagerOptionKeys, JobMaster } from '@flink-ts/jobmanager'
import { ResourceManager } from '@flink-ts/resourcemanager'
import type { BlobStore, RpcService } from '@flink-ts/rpc'
import {
  CHECKPOINT_INLINE_THRESHOLD,
  type CheckpointStorage,
  FileCheckpointStorage,
  FileSavepointStorage,
} from '@flink-ts/state'
import { JOB_ARCHIVE_DIRECTORY } from '../history/history-options.ts'
import { JobArchive } from '../history/job-archive.ts'
import { durableJobs, recoveredJobs, removeLeftovers } from './recovered-jobs.ts'

/** The work that a leader takes up. */
export interface LeadershipTerm {
  readonly leaderSessionId: LeaderSessionId
  readonly store: JobStore
  /** What the store held when the term began. */
  readonly found: readonly StoredJob[]
}

export interface JobManagerComponentsDependencies {
  /** Started; the endpoints are reachable at its address. */
  readonly rpc: RpcService
  /** Starts the process for split enumerators and global committers when a job needs one. */
  readonly jobHosts: JobHostLauncher
  /** Where clients put bundles. */
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The endpoints of a JobManager process. */
export interface JobManagerComponents {
  readonly dispatcher: Dispatcher
  readonly resourceManager: ResourceManager
  close(): Promise<void>
}

/**
 * Builds ResourceManager, Dispatcher and the factory of JobMasters, goes on with the jobs of the term, and lets
 * everybody in.
 * @param options term: undefined: jobs end with the components
 */
export function startJobManagerComponents(
  options: { readonly configuration: Configuration; readonly term?: LeadershipTerm },
  dependencies: JobManagerComponentsDependencies,
): JobManagerComponents {
  const { configuration, term } = options
  const leaderSessionId = term?.leaderSessionId
  const { rpc, blobs, clock, random, logger } = dependencies
  const common = { rpc, clock, random, logger }
  const storageFactory = checkpointStorageFactory(configuration, random)
  const savepoints = new FileSavepointStorage(
    { inlineThresholdBytes: configuration.get(CHECKPOINT_INLINE_THRESHOLD) },
    { fileSystemFor, random },
  )
  const jobHosts = new JobHostPool(
    {
      idleTimeoutMs: configuration.get(JobManagerOptionKeys.jobHostIdleTimeout),
      startTimeoutMs: configuration.get(JobManagerOptionKeys.jobHostStartTimeout),
    },
    { ...common, launcher: dependencies.jobHosts },
  )
  const resourceManager = new ResourceManager({ configuration, leaderSessionId }, common)
  const startRunner = (submission: JobSubmission, progress?: JobProgress): JobMaster => {
    const recording = term && {
      recorder: recorderOf(term.store, submission.graph.jobId),
      outcome: finishedJobOf,
    }
    const jobMaster = new JobMaster(
      {
        ...{ submission, configuration, progress },
        ...{ resourceManagerAddress: rpc.address, blobAddress: rpc.address },
      },
      { ...common, storageFactory, savepoints, jobHosts, recording },
    )
    jobMaster.start()
    return jobMaster
  }
  const dispatcher = new Dispatcher(
    { configuration, resourceManagerAddress: rpc.address, leaderSessionId },
    {
      ...common,
      hasBlob: key => blobs.has(key),
      deleteBlob: key => blobs.delete(key),
      disposeSavepoint: path => savepoints.dispose(path),
      archive: archiveOf(configuration, logger),
      async checkSnapshot(path) {
        await savepoints.readMetadata(path)
      },
      runnerFactory: startRunner,
      jobs: term && durableJobs(term.store, logger),
    },
  )
  jobHosts.serve()
  resourceManager.start()
  if (term !== undefined) {
    dispatcher.recover(recoveredJobs(term.found, clock.now(), startRunner))
    // Never rejects.
    void removeLeftovers(term, { storageFactory, savepoints, logger })
  }
  dispatcher.start()
  return {
    dispatcher,
    resourceManager,
    async close() {
      await dispatcher.close()
      await jobHosts.close()
      resourceManager.close()
    },
  }
}

/** Where jobs that are over are kept for the history server; undefined: nowhere. */
function archiveOf(
  configuration: Configuration,
  logger: Logger,
): ((job: FinishedJob) => Promise<void>) | undefined {
  const path = configuration.get(JOB_ARCHIVE_DIRECTORY)
  if (path === '') return undefined
  const directory = toUri(path)
  const archive = new JobArchive({ directory }, { fileSystem: fileSystemFor(directory), logger })
  return job => archive.keep(job)
}

/** Checkpoint storage by URI scheme, with the configured threshold for small state. */
function checkpointStorageFactory(
  configuration: Configuration,
  random: Random,
): (directory: string, jobId: string) => CheckpointStorage {
  const inlineThresholdBytes = configuration.get(CHECKPOINT_INLINE_THRESHOLD)
  return (directory, jobId) =>
    new FileCheckpointStorage(
      { directory, jobId, inlineThresholdBytes },
      { fileSystem: fileSystemFor(directory), random },
    )
}
