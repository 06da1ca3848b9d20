import { type Clock, type Configuration, type Logger, type Random, VERSION } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import { createRestServer } from '@flink-ts/rest'
import { WEB_PAGE_FOLDER } from '@flink-ts/web'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'

/** REST API and web page of a MiniCluster. */
export interface LocalWebPage {
  /** With a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves the REST API and, where it is built, the web page of a MiniCluster, to this machine alone.
 * @param options port 0: any free one
 * @throws rest.bind-failed
 */
export async function startLocalWebPage(
  options: { readonly port: number; readonly configuration: Configuration },
  dependencies: {
    readonly dispatcher: DispatcherGateway
    readonly clock: Clock
    readonly random: Random
    readonly logger: Logger
  },
): Promise<LocalWebPage> {
  const { configuration } = options
  const { clock } = dependencies
  const monitor = new NodeProcessMonitor({ logFile: undefined }, { clock, threads: () => [] })
  const rest = createRestServer(
    { bindAddress: '127.0.0.1', port: options.port, allowUnauthenticated: false, webPage: WEB_PAGE_FOLDER },
    { ...dependencies, configuration, monitor, version: VERSION },
  )
  try {
    const port = await rest.start()
    return {
      url: `http://127.0.0.1:${port}/`,
      async close() {
        await rest.close()
        monitor.close()
      },
    }
  } catch (error) {
    monitor.close()
    throw error
  }
}
