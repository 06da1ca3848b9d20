import { join } from 'node:path'
import { authTokenOf, JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT, VERSION } from '@flink-ts/common'
import { createRestServer, RestOptionKeys } from '@flink-ts/rest'
import { BlobServer, GrpcRpcService, sessionSettingsOf } from '@flink-ts/rpc'
import { WEB_PAGE_FOLDER } from '@flink-ts/web'
import { JOBMANAGER_BIND_HOST, JOBMANAGER_RPC_BIND_PORT } from '../cluster-options.ts'
import { JobHostProcesses } from '../components/job-host-process.ts'
import { startJobManagerComponents } from '../components/job-manager-components.ts'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'
import { runProcess } from './process-start.ts'

await runProcess(
  'jobmanager',
  async ({ configuration, logger, logFile, clock, random, workingDirectory, resourceId }, end) => {
    const port = configuration.get(JOBMANAGER_RPC_PORT)
    const bindPort = configuration.get(JOBMANAGER_RPC_BIND_PORT)
    const rpc = new GrpcRpcService(
      {
        bindHost: configuration.get(JOBMANAGER_BIND_HOST),
        port: bindPort === -1 ? port : bindPort,
        advertisedHost: configuration.get(JOBMANAGER_RPC_ADDRESS),
        ...(bindPort !== -1 && { advertisedPort: port }),
        resourceId,
        version: VERSION,
        settings: sessionSettingsOf(configuration),
      },
      { clock, random, logger: logger.child({ component: 'rpc' }) },
    )
    const blobs = new BlobServer({ directory: join(workingDirectory.path, 'blobs') }, { logger, random })
    await Promise.all([blobs.start(), rpc.start()])
    rpc.serveBlobs(blobs)
    const jobHosts = new JobHostProcesses(
      {
        jobManagerAddress: () => rpc.localAddress,
        args: process.argv.slice(2),
        temporaryFolder: join(workingDirectory.path, 'job-hosts'),
      },
      { clock, logger },
    )
    const components = startJobManagerComponents(
      { configuration },
      { rpc, blobs, clock, random, logger, jobHosts },
    )
    const monitor = new NodeProcessMonitor({ logFile }, { clock, threads: () => [] })
    const rest = createRestServer(
      {
        bindAddress: configuration.get(RestOptionKeys.bindAddress),
        port: configuration.get(RestOptionKeys.port),
        allowUnauthenticated: configuration.get(RestOptionKeys.allowUnauthenticated),
        authToken: authTokenOf(configuration),
        webPage: WEB_PAGE_FOLDER,
      },
      {
        dispatcher: components.dispatcher,
        ...{ configuration, monitor, clock, random, logger },
        shutDown: () => end('shut down by REST', 0),
        version: VERSION,
      },
    )
    const restPort = await rest.start()
    logger.info({ rpcAddress: rpc.address, restPort }, 'JobManager is ready')
    return {
      async close() {
        await rest.close()
        monitor.close()
        await components.close()
        await rpc.close()
      },
    }
  },
)
