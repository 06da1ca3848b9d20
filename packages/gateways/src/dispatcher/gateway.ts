import type { JobId, ResourceId } from '@flink-ts/common'
import { defineGateway } from '@flink-ts/rpc'
import type { ProcessInspection } from '../process/process-monitor.ts'
import type { TaskInspection } from '../process/task-inspection.ts'
import type { ResourceOverview } from '../resource-manager/messages.ts'
import type { CheckpointStatistics } from './checkpoint-messages.ts'
import type {
  JobDetails,
  JobOverview,
  JobRestart,
  JobResult,
  JobSubmission,
  SavepointStatus,
  SavepointTrigger,
  VertexAttempts,
} from './messages.ts'

/** Name of the endpoint. */
export const DISPATCHER_ENDPOINT = 'dispatcher'

/** What may be said to the Dispatcher, by clients and REST. Errors: `dispatcher.job-not-found`, `dispatcher.duplicate-job`, `dispatcher.bundle-missing`. */
export interface DispatcherGateway {
  /** Accepts a job; resolves when its JobMaster exists. The bundle must be in the blob store before. */
  submitJob(submission: JobSubmission): Promise<void>
  listJobs(): Promise<readonly JobOverview[]>
  requestJobDetails(jobId: JobId): Promise<JobDetails>
  requestCheckpoints(jobId: JobId): Promise<CheckpointStatistics>
  /** Of all vertices, in order of the graph. Earlier attempts: the latest of each subtask, as configured. */
  requestAttempts(jobId: JobId): Promise<readonly VertexAttempts[]>
  cancelJob(jobId: JobId): Promise<void>
  /**
   * Resolves with the URI of the savepoint; with `stop`, when the job has ended. Idempotent by its trigger id. Errors:
   * `dispatcher.job-not-running`, `jobmanager.savepoint-failed`, `jobmanager.stop-failed`,
   * `jobmanager.savepoint-directory-missing`, `state.savepoint-directory-unusable`.
   */
  triggerSavepoint(jobId: JobId, trigger: SavepointTrigger): Promise<string>
  /**
   * Takes a checkpoint now, as a periodic one. Resolves with its id. Idempotent by its trigger id, under which
   * `requestSavepointStatus` tells its outcome: the location is the id.
   */
  triggerCheckpoint(jobId: JobId, triggerId: string): Promise<string>
  /**
   * Ends the job, if it runs, and starts it again. Resolves with the id of the new job when that is accepted. Idempotent
   * by its trigger id, under which `requestSavepointStatus` tells its outcome: the location is the id. The snapshot is
   * looked at before the job is ended. Errors: `dispatcher.restart-impossible`, those of snapshots and submissions.
   */
  restartJob(jobId: JobId, restart: JobRestart): Promise<string>
  /** Outcomes are remembered for `rest.async.store-duration`. Errors: `dispatcher.savepoint-not-known`. */
  requestSavepointStatus(jobId: JobId, triggerId: string): Promise<SavepointStatus>
  /** Removes a savepoint: path or URI. Errors: `state.checkpoint-not-found`, `state.not-a-checkpoint`. */
  disposeSavepoint(path: string): Promise<void>
  /** Resolves when the job is over, whenever that is. */
  requestJobResult(jobId: JobId): Promise<JobResult>
  requestResourceOverview(): Promise<ResourceOverview>
  /** See `inspectProcess` and `TaskInspection`. Errors: `resourcemanager.task-manager-not-found`, those of the TaskManager. */
  inspectTaskManager(resourceId: ResourceId, inspection: ProcessInspection | TaskInspection): Promise<unknown>
}

export const dispatcherGateway = defineGateway<DispatcherGateway>('dispatcher', [
  'submitJob',
  'listJobs',
  'requestJobDetails',
  'requestCheckpoints',
  'requestAttempts',
  'cancelJob',
  'triggerSavepoint',
  'triggerCheckpoint',
  'restartJob',
  'requestSavepointStatus',
  'disposeSavepoint',
  'requestJobResult',
  'requestResourceOverview',
  'inspectTaskManager',
])
