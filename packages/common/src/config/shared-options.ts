import { option, portType, storagePathType, stringType } from './option.ts'

// Keys that several packages read: one declaration, so that defaults and descriptions cannot differ.

/** Where TaskManagers and clients find the JobManager. */
export const JOBMANAGER_RPC_ADDRESS = option('jobmanager.rpc.address', stringType, {
  defaultValue: 'localhost',
  description: 'Host at which TaskManagers and clients reach the JobManager.',
})

/** Port that belongs to {@link JOBMANAGER_RPC_ADDRESS}. */
export const JOBMANAGER_RPC_PORT = option('jobmanager.rpc.port', portType, {
  defaultValue: 6123,
  description: 'Port at which TaskManagers and clients reach the JobManager.',
})

/** Read at planning and, if the job names none, by the JobMaster. */
export const CHECKPOINTS_DIRECTORY = option('execution.checkpointing.dir', storagePathType, {
  defaultValue: '',
  description:
    'Base directory of checkpoints, as path or URI (file:///...). Empty: none, and a job that takes checkpoints is ' +
    'refused. A setting of the job goes before that of the cluster.',
  deprecatedKeys: ['state.checkpoints.dir', 'state.backend.fs.checkpointdir'],
})

/** Read by every process and client: see `authTokenOf`. */
export const AUTH_TOKEN_FILE = option('security.auth.token-file', stringType, {
  defaultValue: '',
  description:
    'File with the token that gRPC and REST demand of whoever connects: 16 or more printable characters, the same in ' +
    'all processes and clients. Empty: none is demanded, and nothing listens beyond this machine unless ' +
    'security.rpc.allow-unauthenticated and security.rest.allow-unauthenticated permit it. A token travels as it is: ' +
    'in networks that others can listen to, it protects only inside of a tunnel.',
})
