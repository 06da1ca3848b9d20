import { defineError } from '@flink-ts/common'

/** No JobManager answers at the address. */
export const NoJobManager = defineError<{ address: string; waitedMs: number; reason: string }>({
  code: 'client.no-jobmanager',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `No JobManager answers at ${d.address} (tried for ${d.waitedMs} ms; ${d.reason}). Start a cluster with ` +
    'bin/start-cluster.sh, or only the JobManager with bin/jobmanager.sh start; or set jobmanager.rpc.address and ' +
    'jobmanager.rpc.port, or high-availability.storageDir, to where one runs, in conf/flink-conf.yaml or with -D.',
})

/** A file or folder that the program has registered is not there. */
export const CachedFileNotFound = defineError<{ name: string; uri: string }>({
  code: 'client.cached-file-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `registerCachedFile: there is no file or folder ${d.uri} for '${d.name}'. It is read where the job is submitted; ` +
    'relative paths are resolved from the folder in which that happens.',
})

/** The job was cancelled, so it has no result. */
export const JobCancelled = defineError<{ jobId: string }>({
  code: 'client.job-cancelled',
  domain: 'user',
  retry: 'no',
  message: d => `Job ${d.jobId} was cancelled before it finished.`,
})

/** The job failed, and the cluster knows no reason. */
export const JobFailed = defineError<{ jobId: string }>({
  code: 'client.job-failed',
  domain: 'internal',
  retry: 'no',
  message: d => `Job ${d.jobId} failed without a recorded reason: look into the log of the JobManager.`,
})

/** The JobManager was started anew, and what it knew is gone. */
export const JobLost = defineError<{ jobId: string; address: string }>({
  code: 'client.job-lost',
  domain: 'external',
  retry: 'no',
  message: d =>
    `Job ${d.jobId} is lost: the JobManager at ${d.address} was started anew while the job ran, and the new one does ` +
    'not know the job. Run it again; with -s <path of its last checkpoint> it goes on from there.',
})

/** The connection was lost for so long that the client gave up: the job may be running, finished or failed. */
export const JobStateUnknown = defineError<{ jobId: string; address: string }>({
  code: 'client.job-state-unknown',
  domain: 'external',
  retry: 'no',
  message: d =>
    `What became of job ${d.jobId} is unknown: the JobManager at ${d.address} does not answer any more. When one ` +
    'answers there again, flink list -a shows the job if it was kept; if it is not there, run it again with -s <path ' +
    'of its last checkpoint>. client.timeout says how long a client waits.',
})

/** The client was closed. */
export const ClientClosed = defineError<{ address: string }>({
  code: 'client.closed',
  domain: 'user',
  retry: 'no',
  message: d => `The client of the cluster at ${d.address} is closed: connect again.`,
})

/** What travels with a job, so that its program can run again in the cluster, is more than a message holds. */
export const ProgramTooLarge = defineError<{
  job: string
  maxBytes: number
  results: number
  captures: readonly string[]
}>({
  code: 'client.program-too-large',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job '${d.job}' cannot be submitted: what its program needs to run again in the cluster is over ${d.maxBytes} bytes ` +
    `(pekko.framesize). With it travel the results of the ${d.results} jobs that the program has run before, and its ` +
    `captures (${d.captures.join(', ') || 'none'}). Write large results to a sink instead of collecting them before ` +
    'another execute(), read large files in the functions of the job instead of env.capture, or put the jobs into ' +
    'programs of their own.',
})
