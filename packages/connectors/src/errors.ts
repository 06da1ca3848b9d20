import { defineError } from '@flink-ts/common'

/** A path to read is not there. */
export const PathNotFound = defineError<{ path: string }>({
  code: 'connectors.path-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no file or folder ${d.path}. Give a path that every TaskManager can read; relative paths are resolved ` +
    'from the folder in which the job is submitted.',
})

/** New files could not be looked for, again and again. */
export const ListingFailed = defineError<{ paths: readonly string[]; attempts: number }>({
  code: 'connectors.listing-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Looking for new files in ${d.paths.join(', ')} failed ${d.attempts} times in a row; see the cause. Nothing is lost: ` +
    'the job goes on from its last checkpoint once they can be listed again.',
})

/** A snapshot of a source that had looked once does not say what it had found. */
export const FilesSeenUnknown = defineError<{ paths: readonly string[] }>({
  code: 'connectors.files-seen-unknown',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The snapshot does not say which files of ${d.paths.join(', ')} were read, so monitorContinuously cannot tell which ` +
    'are new. Restore without it, or give the source another uid and a folder that only has the new files.',
})

/** A file changed while it was read, or between a snapshot and its restore. */
export const FileChanged = defineError<{ uri: string; reason: string }>({
  code: 'connectors.file-changed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.uri} changed since the job started to read it: ${d.reason}. Files must not change while they are read.`,
})

/** A packed file cannot be unpacked. */
export const FileNotUnpackable = defineError<{ uri: string; reason: string }>({
  code: 'connectors.file-not-unpackable',
  domain: 'user',
  retry: 'no',
  message: d => `${d.uri} ends in .gz, but cannot be unpacked: ${d.reason}. Rename it if it is not packed.`,
})

/** A line is longer than can be kept in memory. */
export const LineTooLong = defineError<{ uri: string; position: number; limitBytes: number }>({
  code: 'connectors.line-too-long',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.uri}: the line at byte ${d.position} is longer than ${d.limitBytes} bytes. Is it a text file with line ends?`,
})

/** A record has other fields than the columns that the first record showed. */
export const CsvColumnsDiffer = defineError<{ columns: readonly string[]; fields: readonly string[] }>({
  code: 'connectors.csv-columns-differ',
  domain: 'user',
  retry: 'no',
  message: d =>
    `A record has the fields ${d.fields.join(', ')}, but the first one had ${d.columns.join(', ')}. Say which columns ` +
    'to write: FileSink.forCsv(path).withColumns([...]).',
})

/** Records without fields cannot be CSV rows by themselves. */
export const CsvColumnsUnknown = defineError<{ type: string }>({
  code: 'connectors.csv-columns-unknown',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The columns of a CSV file cannot be taken from ${d.type}: emit objects, or say the columns with ` +
    "withColumns([{ name: 'word', value: record => ... }]).",
})

/** What a completed checkpoint covers is no longer there. */
export const PartFileLost = defineError<{ inProgress: string; final: string; reason: string }>({
  code: 'connectors.part-file-lost',
  domain: 'external',
  retry: 'no',
  message: d =>
    `A part file of a completed checkpoint cannot be made visible: ${d.reason}. Looked for ${d.inProgress} and ` +
    `${d.final}. Was the output folder cleaned while the job ran, or is the checkpoint older than its files?`,
})
