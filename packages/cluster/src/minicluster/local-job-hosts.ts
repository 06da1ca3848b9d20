import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Configuration, Logger, LoggerOptions } from '@flink-ts/common'
import type { JobHostLauncher, LaunchedJobHost } from '@flink-ts/jobmanager'
import type { RpcClient } from '@flink-ts/rpc'
import { startJobHostComponents } from '../components/job-host-components.ts'

export interface LocalJobHostsOptions {
  readonly configuration: Configuration
  readonly jobManagerAddress: string
  readonly folder: string
  readonly threadLogger: LoggerOptions
}

export interface LocalJobHostsDependencies {
  /** Makes the connection of one job host. */
  readonly rpc: () => RpcClient
  readonly clock: Clock
  readonly logger: Logger
}

/** Job hosts as objects of this process; their coordinators run in worker threads all the same. */
export class LocalJobHosts implements JobHostLauncher {
  readonly #options: LocalJobHostsOptions
  readonly #ports: LocalJobHostsDependencies
  #launched = 0
  #current: LaunchedJobHost | undefined

  constructor(options: LocalJobHostsOptions, dependencies: LocalJobHostsDependencies) {
    this.#options = options
    this.#ports = dependencies
  }

  launch(token: string): LaunchedJobHost {
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    const folder = join(this.#options.folder, String(this.#launched++))
    mkdirSync(folder, { recursive: true })
    const host = startJobHostComponents(
      { ...this.#options, token, folder },
      { ...this.#ports, rpc: this.#ports.rpc(), onLost: resolve },
    )
    host.catch((error: Error) => resolve(error.message))
    const stop = async (): Promise<void> => {
      const [started] = await Promise.allSettled([host])
      if (started.status === 'fulfilled') await started.value.close()
      resolve('it was stopped')
    }
    this.#current = { ended, stop }
    return this.#current
  }

  /** Ends the present job host as a failure of it would. */
  async end(): Promise<void> {
    await this.#current?.stop()
  }
}
