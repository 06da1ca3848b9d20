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
