import { durationType, enumType, integerFrom, type OptionType, option, stringType } from '@flink-ts/common'

export const JOBMANAGER_BIND_HOST = option('jobmanager.bind-host', stringType, {
  defaultValue: 'localhost',
  description: 'Local interface on which the JobManager listens. Loopback unless set.',
})
export const JOBMANAGER_RPC_BIND_PORT = option('jobmanager.rpc.bind-port', integerFrom(-1, 65_535), {
  defaultValue: -1,
  description: 'Local port of the JobManager if it differs from the announced one; -1: jobmanager.rpc.port.',
})
export const TASKMANAGER_HOST = option('taskmanager.host', stringType, {
  defaultValue: '',
  description:
    'Host at which other TaskManagers reach this one for the exchange of records. If it is not set, the address from ' +
    'which this host reaches jobmanager.rpc.address.',
})
export const TASKMANAGER_BIND_HOST = option('taskmanager.bind-host', stringType, {
  defaultValue: '',
  description:
    'Local interface on which a TaskManager listens. If it is not set, loopback where taskmanager.host is loopback, else ' +
    'all.',
})
/** Ids are parts of addresses, logs and names of files. */
const resourceIdType: OptionType<string> = {
  expected: 'up to 128 letters, digits, and . _ : - between them',
  parse: text => (/^([a-z0-9][a-z0-9._:-]{0,127})?$/i.test(text) ? text : undefined),
  format: String,
}

export const TASKMANAGER_RESOURCE_ID = option('taskmanager.resource-id', resourceIdType, {
  defaultValue: '',
  description:
    'Name of a TaskManager in logs, REST and metrics; made up if empty. Must be unique in the cluster.',
})
export const NUMBER_OF_TASK_SLOTS = option('taskmanager.numberOfTaskSlots', integerFrom(1), {
  defaultValue: 1,
  description: 'Slots of a TaskManager. One slot is one thread, so at most the number of cores makes sense.',
})
export const TMP_DIRS = option('io.tmp.dirs', stringType, {
  defaultValue: '',
  description: "Folder for temporary files; the system's one if empty.",
  deprecatedKeys: ['taskmanager.tmp.dirs'],
})
export const LOCAL_BACKUP_DIRECTORIES = option('execution.checkpointing.local-backup.dirs', stringType, {
  defaultValue: '',
  description:
    'Folders of a TaskManager for copies of state (see execution.state-recovery.from-local), separated by commas; its ' +
    'slots take turns. In the folder for temporary files if empty.',
  deprecatedKeys: ['taskmanager.state.local.root-dirs'],
})
export const REGISTRATION_TIMEOUT = option('taskmanager.registration.timeout', durationType, {
  defaultValue: 300_000,
  description: 'A TaskManager that cannot register at the JobManager for this long ends itself.',
  deprecatedKeys: ['taskmanager.maxRegistrationDuration'],
})
export const LOG_LEVEL = option('env.log.level', enumType('error', 'warn', 'info', 'debug'), {
  defaultValue: 'info',
  description: 'Least severe level that is logged: error, warn, info or debug.',
})
