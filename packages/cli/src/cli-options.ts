import { integerType, option, stringType } from '@flink-ts/common'

/** As the processes of a cluster read it. */
export const JOBMANAGER_RPC_ADDRESS = option('jobmanager.rpc.address', stringType, {
  defaultValue: 'localhost',
  description: 'Host at which TaskManagers and clients reach the JobManager.',
})

/** As the processes of a cluster read it. */
export const JOBMANAGER_RPC_PORT = option('jobmanager.rpc.port', integerType, {
  defaultValue: 6123,
  description: 'Port at which TaskManagers and clients reach the JobManager.',
})
