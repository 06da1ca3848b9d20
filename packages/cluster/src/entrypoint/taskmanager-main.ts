import { join } from 'node:path'
import { JOBMANAGER_RPC_ADDRESS, type ResourceId, VERSION } from '@flink-ts/common'
import { jobManagerAccess } from '@flink-ts/highavailability'
import { DATA_PORT } from '@flink-ts/network'
import { GrpcRpcClient, sessionSettingsOf } from '@flink-ts/rpc'
import { ROCKSDB_LOCAL_DIRECTORY } from '@flink-ts/state'
import {
  LOCAL_BACKUP_DIRECTORIES,
  LOG_LEVEL,
  NUMBER_OF_TASK_SLOTS,
  REGISTRATION_TIMEOUT,
  TASKMANAGER_BIND_HOST,
  TASKMANAGER_HOST,
  TASKMANAGER_RESOURCE_ID,
} from '../cluster-options.ts'
import { startTaskManagerComponents } from '../components/task-manager-components.ts'
import { bindHostFor, ownHost } from './own-host.ts'
import { runProcess } from './process-start.ts'
import { WorkingDirectory } from './working-directory.ts'

await runProcess('taskmanager', async (start, end) => {
  const { configuration, logger, logFile, clock, random, workingDirectory } = start
  const resourceId = (configuration.get(TASKMANAGER_RESOURCE_ID) || start.resourceId) as ResourceId
  let dataAddress: string | undefined
  const access = jobManagerAccess(configuration)
  const direct = new GrpcRpcClient(
    {
      resourceId,
      version: VERSION,
      settings: sessionSettingsOf(configuration),
      probeAddress: () => dataAddress,
    },
    { clock, random, logger: logger.child({ component: 'rpc' }) },
  )
  await direct.start()
  const { address } = access
  const timeoutMs = configuration.get(REGISTRATION_TIMEOUT)
  const giveUp = clock.schedule(timeoutMs, () => {
    logger.error(
      { address, timeoutMs },
      'No JobManager answered in time: see taskmanager.registration.timeout',
    )
    end('not registered in time', 1)
  })
  const host =
    configuration.get(TASKMANAGER_HOST) || (await ownHost(configuration.get(JOBMANAGER_RPC_ADDRESS)))
  const localState = configuration
    .get(LOCAL_BACKUP_DIRECTORIES)
    .split(',')
    .map(directory => directory.trim())
    .filter(directory => directory !== '')
    .map(directory => WorkingDirectory.create(directory, 'local-state'))
  const storeDirectory = configuration.get(ROCKSDB_LOCAL_DIRECTORY)
  const stores = storeDirectory === '' ? undefined : WorkingDirectory.create(storeDirectory, 'rocksdb')
  const components = await startTaskManagerComponents(
    {
      configuration,
      resourceManagerAddress: address,
      slots: configuration.get(NUMBER_OF_TASK_SLOTS),
      keepSpareThread: true,
      bundleFolder: join(workingDirectory.path, 'bundles'),
      storeFolder: stores?.path ?? join(workingDirectory.path, 'stores'),
      localStateFolders:
        localState.length > 0
          ? localState.map(({ path }) => path)
          : [join(workingDirectory.path, 'local-state')],
      dataBindHost: configuration.get(TASKMANAGER_BIND_HOST) || bindHostFor(host),
      dataHost: host,
      dataPort: configuration.get(DATA_PORT),
      threadLogger: { level: configuration.get(LOG_LEVEL), ...(logFile !== undefined && { file: logFile }) },
    },
    {
      rpc: access.through(direct),
      clock,
      random,
      logger,
      onListening: address => {
        dataAddress = address
      },
      // It would go on to offer slots in which every task fails.
      onExchangeLost: error => {
        logger.error({ error }, 'The record exchange ended by itself')
        end('network thread lost', 1)
      },
      onRegistered: instanceId => {
        giveUp.cancel()
        logger.info({ instanceId, address }, 'TaskManager is registered')
      },
    },
  )
  return {
    drain: () => components.drain(),
    async close() {
      try {
        await components.close()
      } finally {
        for (const folder of localState) folder.remove()
        stores?.remove()
      }
    },
  }
})
