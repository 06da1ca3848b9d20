import type { JobId } from '@flink-ts/common'
import { defineGateway } from '@flink-ts/rpc'
import type { ResourceOverview } from '../resource-manager/messages.ts'
import type { JobDetails, JobOverview, JobResult, JobSubmission } from './messages.ts'

/** Name of the endpoint. */
export const DISPATCHER_ENDPOINT = 'dispatcher'

/** What may be said to the Dispatcher, by clients and REST. Errors: `dispatcher.job-not-found`, `dispatcher.duplicate-job`, `dispatcher.bundle-missing`. */
export interface DispatcherGateway {
  /** Accepts a job; resolves when its JobMaster exists. The bundle must be in the blob store before. */
  submitJob(submission: JobSubmission): Promise<void>
  listJobs(): Promise<readonly JobOverview[]>
  requestJobDetails(jobId: JobId): Promise<JobDetails>
  cancelJob(jobId: JobId): Promise<void>
  /** Resolves when the job is over, whenever that is. */
  requestJobResult(jobId: JobId): Promise<JobResult>
  requestResourceOverview(): Promise<ResourceOverview>
}

export const dispatcherGateway = defineGateway<DispatcherGateway>('dispatcher', [
  'submitJob',
  'listJobs',
  'requestJobDetails',
  'cancelJob',
  'requestJobResult',
  'requestResourceOverview',
])
