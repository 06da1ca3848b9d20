import { join } from 'node:path'
import { authTokenOf, type Configuration, JOBMANAGER_RPC_ADDRESS, VERSION } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import {
  type HighAvailability,
  KeptBlobs,
  LeaderRpcClient,
  leaderAddress,
  openHighAvailability,
} from '@flink-ts/highavailability'
import {
  createRestServer,
  InfluxReporter,
  influxReporterOptionsOf,
  PrometheusServer,
  type PrometheusServerDependencies,
  type PrometheusServerOptions,
  RestOptionKeys,
} from '@flink-ts/rest'
import { BlobServer, type RpcClient } from '@flink-ts/rpc'
import { WEB_PAGE_FOLDER } from '@flink-ts/web'
import { JobHostProcesses } from '../components/job-host-process.ts'
import { startJobManagerComponents } from '../components/job-manager-components.ts'
import { JobManagerContender } from '../components/job-manager-contender.ts'
import { startJobManagerRpc } from '../components/job-manager-rpc.ts'
import { leaderDispatcher } from '../components/leader-dispatcher.ts'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'
import { UploadedPrograms } from '../programs/uploaded-programs.ts'
import { runProcess } from './process-start.ts'

await runProcess(
  'jobmanager',
  async ({ configuration, logger, logFile, clock, random, workingDirectory, resourceId }, end) => {
    const highAvailability = openHighAvailability(configuration)
    const ownBlobs = new BlobServer({ directory: join(workingDirectory.path, 'blobs') }, { logger, random })
    const rpcDependencies = { clock, random, logger: logger.child({ component: 'rpc' }) }
    const [rpc] = await Promise.all([
      startJobManagerRpc({ configuration, resourceId }, rpcDependencies),
      ownBlobs.start(),
      highAvailability?.prepare(random),
    ])
    const blobs = new KeptBlobs(ownBlobs)
    rpc.serveBlobs(blobs)
    const jobHosts = new JobHostProcesses(
      {
        jobManagerAddress: () => rpc.localAddress,
        args: process.argv.slice(2),
        temporaryFolder: join(workingDirectory.path, 'job-hosts'),
      },
      { clock, logger },
    )
    const dependencies = { rpc, blobs, clock, random, logger, jobHosts }
    const components =
      highAvailability === undefined ? startJobManagerComponents({ configuration }, dependencies) : undefined
    const monitor = new NodeProcessMonitor({ logFile }, { clock, threads: () => [] })
    const programs = new UploadedPrograms(
      {
        folder: configuration.get(RestOptionKeys.uploadFolder) || join(workingDirectory.path, 'uploads'),
        configuration,
        jobManagerAddress: () => rpc.localAddress,
        temporaryFolder: join(workingDirectory.path, 'programs'),
      },
      { clock, random },
    )
    const access = {
      bindAddress: configuration.get(RestOptionKeys.bindAddress),
      allowUnauthenticated: configuration.get(RestOptionKeys.allowUnauthenticated),
      authToken: authTokenOf(configuration),
    }
    const dispatcher = components?.dispatcher ?? electedDispatcher(rpc, highAvailability as HighAvailability)
    const rest = createRestServer(
      {
        ...access,
        port: configuration.get(RestOptionKeys.port),
        webPage: WEB_PAGE_FOLDER,
      },
      {
        dispatcher,
        ...{ configuration, monitor, clock, random, logger },
        programs: configuration.get(RestOptionKeys.submitEnabled) ? programs : undefined,
        shutDown: () => end('shut down by REST', 0),
        version: VERSION,
      },
    )
    const restPort = await rest.start()
    const prometheus = await startPrometheus(configuration, access, { dispatcher, monitor, clock, logger })
    const influx = startInflux(configuration, { dispatcher, monitor, clock, logger })
    const campaign = highAvailability?.campaign(
      {
        address: rpc.address,
        restAddress: `${configuration.get(JOBMANAGER_RPC_ADDRESS)}:${restPort}`,
      },
      {
        ...{ clock, random, logger },
        contender: new JobManagerContender({ configuration }, { ...dependencies, highAvailability }),
      },
    )
    campaign?.start()
    logger.info({ rpcAddress: rpc.address, restPort }, 'JobManager is ready')
    return {
      async close() {
        await rest.close()
        prometheus?.close()
        await influx?.close()
        monitor.close()
        await components?.close()
        await campaign?.close()
        await rpc.close()
      },
    }
  },
)

/** Undefined: not configured. */
async function startPrometheus(
  configuration: Configuration,
  access: Pick<PrometheusServerOptions, 'bindAddress' | 'allowUnauthenticated' | 'authToken'>,
  dependencies: PrometheusServerDependencies,
): Promise<PrometheusServer | undefined> {
  if (configuration.get(RestOptionKeys.prometheusReporter) === 'none') return undefined
  const server = new PrometheusServer(
    {
      ...access,
      ports: configuration.get(RestOptionKeys.prometheusPort),
      host: configuration.get(JOBMANAGER_RPC_ADDRESS),
    },
    dependencies,
  )
  const port = await server.start()
  dependencies.logger.info({ port }, 'Metrics are offered to Prometheus')
  return server
}

/** Undefined: not configured. */
function startInflux(
  configuration: Configuration,
  dependencies: PrometheusServerDependencies,
): InfluxReporter | undefined {
  const options = influxReporterOptionsOf(configuration, configuration.get(JOBMANAGER_RPC_ADDRESS))
  if (options === undefined) return undefined
  const reporter = new InfluxReporter(options, dependencies)
  reporter.start()
  dependencies.logger.info({ server: options.baseUrl }, 'Metrics are written to InfluxDB')
  return reporter
}

/** The REST API of each JobManager shows the cluster, whoever leads. */
function electedDispatcher(rpc: RpcClient, { leader }: HighAvailability): DispatcherGateway {
  return leaderDispatcher(leaderAddress(leader), new LeaderRpcClient({ rpc, leader }))
}
