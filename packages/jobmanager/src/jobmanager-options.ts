import { durationType, integerFrom, option, stringType } from '@flink-ts/common'

/** Configuration keys of the JobMaster. */
export const JobManagerOptionKeys = {
  slotRequestTimeout: option('slot.request.timeout', durationType, {
    defaultValue: 300_000,
    description: 'How long a job waits for the slots it needs before it fails.',
  }),
  slotIdleTimeout: option('slot.idle.timeout', durationType, {
    defaultValue: 50_000,
    description: 'After how long a job gives back slots that it has beyond its need.',
  }),
  jobHostIdleTimeout: option('jobmanager.job-host.idle-timeout', durationType, {
    defaultValue: 60_000,
    description:
      'How long the job host, the process that runs split enumerators and global committers, is kept when no job ' +
      'needs it.',
  }),
  jobHostStartTimeout: option('jobmanager.job-host.start-timeout', durationType, {
    defaultValue: 30_000,
    description: 'How long the job host may take from its start until it is ready.',
  }),
  savepointDirectory: option('execution.checkpointing.savepoint-dir', stringType, {
    defaultValue: '',
    description:
      'Where savepoints go if the request names no directory, as path or URI. Empty: it has to name one.',
    deprecatedKeys: ['state.savepoints.dir', 'savepoints.state.backend.fs.dir'],
  }),
  checkpointHistorySize: option('web.checkpoints.history', integerFrom(0), {
    defaultValue: 10,
    description:
      'How many checkpoints of a job are remembered with their details; those under way always are.',
  }),
  exceptionHistorySize: option('web.exception-history-size', integerFrom(1), {
    defaultValue: 16,
    description: 'How many failures of a job are remembered.',
  }),
}
