import type { Clock, Configuration, Logger, Random } from '@flink-ts/common'
import { Dispatcher } from '@flink-ts/dispatcher'
import { fileSystemFor } from '@flink-ts/filesystem'
import { type JobHostLauncher, JobHostPool, JobManagerOptionKeys, JobMaster } from '@flink-ts/jobmanager'
import { ResourceManager } from '@flink-ts/resourcemanager'
import type { BlobStore, RpcService } from '@flink-ts/rpc'
import {
  CHECKPOINT_INLINE_THRESHOLD,
  type CheckpointStorage,
  FileCheckpointStorage,
  FileSavepointStorage,
} from '@flink-ts/state'

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

/** Builds ResourceManager, Dispatcher and the factory of JobMasters, and lets everybody in. */
export function startJobManagerComponents(
  options: { readonly configuration: Configuration },
  dependencies: JobManagerComponentsDependencies,
): JobManagerComponents {
  const { configuration } = options
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
  const resourceManager = new ResourceManager({ configuration }, common)
  const dispatcher = new Dispatcher(
    { configuration, resourceManagerAddress: rpc.address },
    {
      ...common,
      hasBlob: key => blobs.has(key),
      disposeSavepoint: path => savepoints.dispose(path),
      runnerFactory: submission => {
        const jobMaster = new JobMaster(
          { submission, configuration, resourceManagerAddress: rpc.address, blobAddress: rpc.address },
          { ...common, storageFactory, savepoints, jobHosts },
        )
        jobMaster.start()
        return jobMaster
      },
    },
  )
  jobHosts.serve()
  resourceManager.start()
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
