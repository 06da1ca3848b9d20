import { defineError } from '@flink-ts/common'

/** No job of that id runs or is remembered. */
export const JobNotFound = defineError<{ jobId: string }>({
  code: 'dispatcher.job-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no job ${d.jobId} here. 'bin/flink list -a' shows the jobs that are known.`,
})

/** A job of that id was submitted before. */
export const DuplicateJob = defineError<{ jobId: string; name: string; status: string }>({
  code: 'dispatcher.duplicate-job',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job ${d.jobId} ('${d.name}', ${d.status}) was submitted before; submit the program again for a new id.`,
})

/** The code of the job is not in the blob store. */
export const BundleMissing = defineError<{ jobId: string; blobKey: string }>({
  code: 'dispatcher.bundle-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The bundle ${d.blobKey} of job ${d.jobId} is not in the blob store: upload it before the job is submitted.`,
})

/** A file that the program has registered is not in the blob store. */
export const CachedFileMissing = defineError<{ jobId: string; blobKey: string }>({
  code: 'dispatcher.cached-file-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The blob ${d.blobKey} of a cached file of job ${d.jobId} is not in the blob store: submit the job again.`,
})

/** The job graph cannot be run. */
export const InvalidJobGraph = defineError<{ jobId: string; problems: readonly string[] }>({
  code: 'dispatcher.invalid-job-graph',
  domain: 'user',
  retry: 'no',
  message: d => `Job ${d.jobId} cannot be run: ${d.problems.join('; ')}.`,
})

/** The Dispatcher is stopping. */
export const DispatcherStopped = defineError<{ jobId: string }>({
  code: 'dispatcher.stopped',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Job ${d.jobId} was not accepted because the JobManager is stopping; submit it to a running cluster.`,
})

/** Only a running job can do that. */
export const JobNotRunning = defineError<{ jobId: string; name: string; status: string }>({
  code: 'dispatcher.job-not-running',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job ${d.jobId} ('${d.name}') is over: ${d.status}. Only of a running job a savepoint can be taken.`,
})

/** The job can't be started again, or not like this. It goes on as it was. */
export const RestartImpossible = defineError<{ jobId: string; reason: string; remedy: string }>({
  code: 'dispatcher.restart-impossible',
  domain: 'user',
  retry: 'no',
  message: d => `Job ${d.jobId} is not started again: ${d.reason}; ${d.remedy}.`,
})

/** No savepoint was triggered under that id, or its outcome is forgotten. */
export const SavepointNotKnown = defineError<{ jobId: string; triggerId: string }>({
  code: 'dispatcher.savepoint-not-known',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Nothing is known of a savepoint of job ${d.jobId} with trigger id ${d.triggerId}. Outcomes are remembered for ` +
    'rest.async.store-duration; a JobManager that was started anew knows none.',
})
