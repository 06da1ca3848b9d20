import type { Clock, Configuration, JobId, Logger, Random } from '@flink-ts/common'
import type { JobResult, JobSubmission } from '@flink-ts/gateways'
import type { RpcService } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import type { JobHosts } from '../coordination/job-hosts.ts'

export interface JobMasterOptions {
  readonly submission: JobSubmission
  readonly configuration: Configuration
  /** `host:port` of the ResourceManager. */
  readonly resourceManagerAddress: string
  /** `host:port` where TaskManagers fetch blobs. */
  readonly blobAddress: string
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
  /** Called once, when the job is over and cleaned up. */
  readonly onTerminal?: (result: JobResult) => void
}
