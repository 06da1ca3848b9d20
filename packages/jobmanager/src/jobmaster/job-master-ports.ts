import type { Clock, Configuration, JobId, Logger, Random } from '@flink-ts/common'
import type { JobResult, JobSubmission } from '@flink-ts/gateways'
import type { JobProgress, JobRecorder } from '@flink-ts/highavailability'
import type { RpcService } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import type { JobHosts } from '../coordination/job-hosts.ts'
import type { JobMaster } from './job-master.ts'

export interface JobMasterOptions {
  readonly submission: JobSubmission
  readonly configuration: Configuration
  /** `host:port` of the ResourceManager. */
  readonly resourceManagerAddress: string
  /** `host:port` where TaskManagers fetch blobs. */
  readonly blobAddress: string
  /** What is recorded of a former JobMaster of the job. */
  readonly progress?: JobProgress | undefined
}

/** Where a job is recorded, so that it outlives this process. */
export interface JobRecording {
  readonly recorder: JobRecorder
  /** What is to be known of the job when it is over. */
  outcome(jobMaster: JobMaster, result: JobResult): unknown
}

export interface JobMasterDependencies {
  readonly rpc: RpcService
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where split enumerators and global committers run. */
  readonly jobHosts: JobHosts
  /** @param directory base URI of the checkpoints of all jobs */
  readonly storageFactory: (directory: string, jobId: JobId) => CheckpointStorage
  readonly savepoints: SavepointStorage
  /** Undefined: nowhere. */
  readonly recording?: JobRecording | undefined
  /** Called once, when the job is over and cleaned up. */
  readonly onTerminal?: (result: JobResult) => void
}
