import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ClusterClient } from '@flink-ts/client'
import {
  CHECKPOINTS_DIRECTORY,
  type Clock,
  type Configuration,
  type Logger,
  type LoggerOptions,
  newId,
  type Random,
  type ResourceId,
  VERSION,
} from '@flink-ts/common'
import { configureFileSystems } from '@flink-ts/filesystem'
import type { DispatcherGateway } from '@flink-ts/gateways'
import { BlobServer, InProcessNetwork, InProcessRpcService, sessionSettingsOf } from '@flink-ts/rpc'
import { TMP_DIRS } from '../cluster-options.ts'
import { startJobManagerComponents } from '../components/job-manager-components.ts'
import {
  startTaskManagerComponents,
  type TaskManagerComponents,
} from '../components/task-manager-components.ts'
import { WorkingDirectory } from '../entrypoint/working-directory.ts'
import { LocalJobHosts } from './local-job-hosts.ts'

export interface MiniClusterOptions {
  readonly configuration: Configuration
  readonly taskManagers: number
  /** Of each TaskManager. */
  readonly slots: number
  readonly threadLogger: LoggerOptions
}

export interface MiniClusterDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * A cluster inside this process: the same components and messages, real slot threads, no sockets but those of the
 * record exchange between several TaskManagers. Nothing is heard of it on the network.
 */
export class MiniCluster {
  readonly client: ClusterClient
  /** For a REST server beside it. */
  readonly dispatcher: DispatcherGateway
  readonly taskManagers: readonly TaskManagerComponents[]
  /** Tests end them to see what happens. */
  readonly jobHosts: LocalJobHosts
  readonly #close: () => Promise<void>

  private constructor(
    client: ClusterClient,
    dispatcher: DispatcherGateway,
    taskManagers: readonly TaskManagerComponents[],
    jobHosts: LocalJobHosts,
    close: () => Promise<void>,
  ) {
    this.client = client
    this.dispatcher = dispatcher
    this.taskManagers = taskManagers
    this.jobHosts = jobHosts
    this.#close = close
  }

  static async start(
    options: MiniClusterOptions,
    dependencies: MiniClusterDependencies,
  ): Promise<MiniCluster> {
    const { clock, random, logger } = dependencies
    // A process that is ended by Ctrl-C leaves it to the next one.
    const workingDirectory = WorkingDirectory.create(
      options.configuration.get(TMP_DIRS) || tmpdir(),
      'minicluster',
      newId<ResourceId>(random),
    )
    const folder = workingDirectory.path
    // Unless somebody says where to keep them, checkpoints serve restarts within the life of this cluster.
    const configuration = options.configuration.has(CHECKPOINTS_DIRECTORY)
      ? options.configuration
      : options.configuration.set(CHECKPOINTS_DIRECTORY, pathToFileURL(join(folder, 'checkpoints')).href)
    const network = new InProcessNetwork({ clock })
    configureFileSystems(configuration)
    const settings = sessionSettingsOf(configuration)
    const service = (name: string): InProcessRpcService =>
      new InProcessRpcService(
        { resourceId: newId<ResourceId>(random), version: VERSION, address: name, settings },
        { network, clock, random, logger },
      )
    const rpc = service('jobmanager')
    const blobs = new BlobServer({ directory: join(folder, 'blobs') }, { logger, random })
    await blobs.start()
    rpc.serveBlobs(blobs)
    const jobHosts = new LocalJobHosts(
      {
        configuration,
        jobManagerAddress: rpc.address,
        folder: join(folder, 'job-hosts'),
        threadLogger: options.threadLogger,
      },
      { rpc: () => service(`jobhost-${newId<string>(random)}`), clock, logger },
    )
    const jobManager = startJobManagerComponents(
      { configuration },
      { rpc, blobs, clock, random, logger, jobHosts },
    )
    const taskManagers = await Promise.all(
      Array.from({ length: options.taskManagers }, (_, index) =>
        startTaskManagerComponents(
          {
            configuration,
            resourceManagerAddress: rpc.address,
            slots: options.slots,
            bundleFolder: join(folder, `bundles-${index}`),
            storeFolder: join(folder, `stores-${index}`),
            localStateFolders: [join(folder, `local-state-${index}`)],
            dataBindHost: '127.0.0.1',
            dataHost: '127.0.0.1',
            dataPort: 0,
            threadLogger: options.threadLogger,
          },
          { rpc: service(`taskmanager-${index}`), clock, random, logger },
        ),
      ),
    )
    const clientRpc = service('client')
    const client = await ClusterClient.connect(
      { address: rpc.address, version: VERSION },
      { clock, random, logger, rpc: clientRpc },
    )
    return new MiniCluster(client, jobManager.dispatcher, taskManagers, jobHosts, async () => {
      await client.close()
      await Promise.all(taskManagers.map(taskManager => taskManager.close()))
      await jobManager.close()
      await Promise.all([clientRpc.close(), rpc.close()])
      workingDirectory.remove()
    })
  }

  /** Ends all jobs and threads. */
  close(): Promise<void> {
    return this.#close()
  }
}
