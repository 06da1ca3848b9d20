import { durationType, integerFrom, option, portType, stringType } from '@flink-ts/common'

export const JOB_ARCHIVE_DIRECTORY = option('jobmanager.archive.fs.dir', stringType, {
  defaultValue: '',
  description:
    'Folder (path or URI) where the JobManager leaves what is known of jobs that are over, for the history server; empty: ' +
    'nowhere.',
})
export const HISTORY_DIRECTORIES = option('historyserver.archive.fs.dir', stringType, {
  defaultValue: '',
  description:
    'Folders (paths or URIs) whose archives of jobs the history server shows, separated by commas. If it is empty, ' +
    'jobmanager.archive.fs.dir.',
})
export const HISTORY_REFRESH_INTERVAL = option('historyserver.archive.fs.refresh-interval', durationType, {
  defaultValue: 10_000,
  description: 'How often the history server looks for new archives.',
})
export const HISTORY_RETAINED_JOBS = option('historyserver.archive.retained-jobs', integerFrom(-1), {
  defaultValue: -1,
  description:
    'Archives that are kept in each folder: the history server removes older ones. -1: all of them.',
})
export const HISTORY_ADDRESS = option('historyserver.web.address', stringType, {
  defaultValue: '127.0.0.1',
  description: 'Address on which the history server listens.',
})
export const HISTORY_PORT = option('historyserver.web.port', portType, {
  defaultValue: 8082,
  description: 'Port of the history server; 0: any free one.',
})
