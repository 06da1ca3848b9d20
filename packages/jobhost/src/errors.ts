import { defineError } from '@flink-ts/common'

/** The code of a job cannot be had. */
export const BundleUnavailable = defineError<{ job: string; blobKey: string }>({
  code: 'jobhost.bundle-unavailable',
  domain: 'external',
  retry: 'backoff',
  message: d => `The bundle ${d.blobKey} of job '${d.job}' cannot be fetched from the JobManager.`,
})

/** User code of a coordinator threw: an enumerator, a global committer. Its own error is the cause. */
export const CoordinatorFailed = defineError<{ operator: string; step: string; error: string }>({
  code: 'jobhost.coordinator-failed',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `${d.error} (thrown by ${d.step} of the coordinator of operator '${d.operator}' in the job host)`,
})

/** The thread of a job's coordinators is gone. */
export const CoordinatorThreadDied = defineError<{ job: string; exitCode: number; reason: string }>({
  code: 'jobhost.coordinator-thread-died',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The thread in the job host that runs enumerators and committers of job '${d.job}' ended by itself with exit code ` +
    `${d.exitCode} (${d.reason}): they must not call process.exit, leave promises rejected, or use up the memory.`,
})
