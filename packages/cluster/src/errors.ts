import { defineError } from '@flink-ts/common'

/** A process cannot have its folder for temporary files. */
export const NoWorkingDirectory = defineError<{ base: string; reason: string }>({
  code: 'cluster.no-working-directory',
  domain: 'user',
  retry: 'no',
  message: d =>
    `No folder for temporary files can be made in ${d.base} (${d.reason}): set io.tmp.dirs to another one.`,
})

/** No such log file is listed by the process. */
export const LogFileNotFound = defineError<{ name: string }>({
  code: 'cluster.log-file-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no log file ${d.name}, or not any more: see the list of log files (logs).`,
})

/** What a program printed last, for messages. */
const printed = (output: string): string => (output === '' ? '' : ` It printed last:\n${output}`)

/** The process that runs the main of an uploaded program has ended without a word. */
export const ProgramEnded = defineError<{ program: string; reason: string; output: string }>({
  code: 'cluster.program-ended',
  domain: 'user',
  retry: 'no',
  message: d => `The main of ${d.program} ended without a job (${d.reason}).${printed(d.output)}`,
})

/** The main of an uploaded program has thrown. */
export const ProgramFailed = defineError<{ program: string; reason: string }>({
  code: 'cluster.program-failed',
  domain: 'user',
  retry: 'no',
  message: d => `The main of ${d.program} failed before it executed a job: ${d.reason}`,
})

/** The main of an uploaded program did not come to its execute. */
export const ProgramTimedOut = defineError<{ program: string; timeoutMs: number; output: string }>({
  code: 'cluster.program-timed-out',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The main of ${d.program} called no execute within ${d.timeoutMs / 1000} s and was ended. Run programs that take ` +
    `longer to plan by bin/flink run.${printed(d.output)}`,
})

/** No program was uploaded under that id, or it was deleted. */
export const ProgramNotFound = defineError<{ id: string }>({
  code: 'cluster.program-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no uploaded program ${d.id}: GET /jars lists those that are there.`,
})

/** The name of an upload is none that a bundle has. */
export const UploadNameInvalid = defineError<{ name: string }>({
  code: 'cluster.upload-name-invalid',
  domain: 'user',
  retry: 'no',
  message: d =>
    `'${d.name}' is not taken: upload a job bundle (flink bundle job.ts -o job.tgz) under a plain name of letters, ` +
    'digits, dots, hyphens and underscores that ends with .tgz or .tar.gz. Java archives do not run here.',
})

/** A bundle has one entry point. */
export const EntryClassUnknown = defineError<{ given: string; entry: string }>({
  code: 'cluster.entry-class-unknown',
  domain: 'user',
  retry: 'no',
  message: d => `The bundle has no entry '${d.given}': leave it out, or give '${d.entry}', its only one.`,
})

/** An archive of a job cannot be read. */
export const ArchiveDamaged = defineError<{ uri: string; reason: string }>({
  code: 'cluster.archive-damaged',
  domain: 'external',
  retry: 'no',
  message: d => `${d.uri} cannot be read: ${d.reason}. Remove it, or read it with the version that wrote it.`,
})

/** The history server knows no such job. */
export const JobNotArchived = defineError<{ jobId: string }>({
  code: 'cluster.job-not-archived',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no archive of job ${d.jobId} in historyserver.archive.fs.dir: it is not over, it was archived a moment ago, ` +
    'or its archive was removed (historyserver.archive.retained-jobs).',
})

/** The history server has no cluster. */
export const HistoryOnly = defineError<{ what: string }>({
  code: 'cluster.history-only',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.what} is not possible at the history server: ask the cluster (rest.port of its JobManager).`,
})

/** The history server does not know where archives are. */
export const NoArchiveDirectory = defineError<Record<string, never>>({
  code: 'cluster.no-archive-directory',
  domain: 'user',
  retry: 'no',
  message: () =>
    'The history server has nothing to show: set historyserver.archive.fs.dir to the folder that ' +
    'jobmanager.archive.fs.dir of the clusters names.',
})
