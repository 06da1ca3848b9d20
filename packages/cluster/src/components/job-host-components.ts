import type { Clock, Configuration, Logger, LoggerOptions } from '@flink-ts/common'
import { COORDINATORS_HEAP_SIZE, JobHost, WorkerCoordinatorThreads } from '@flink-ts/jobhost'
import type { RpcClient } from '@flink-ts/rpc'

export interface JobHostComponentsOptions {
  readonly configuration: Configuration
  readonly jobManagerAddress: string
  /** What the JobManager gave to this host. */
  readonly token: string
  /** Of this host alone. */
  readonly folder: string
  readonly threadLogger: LoggerOptions
}

export interface JobHostComponentsDependencies {
  readonly rpc: RpcClient
  readonly clock: Clock
  readonly logger: Logger
  /** The JobManager is gone. */
  readonly onLost: (reason: string) => void
}

/** Starts a job host, which registers at its JobManager. */
export async function startJobHostComponents(
  options: JobHostComponentsOptions,
  dependencies: JobHostComponentsDependencies,
): Promise<{ close(): Promise<void> }> {
  const { rpc, clock, onLost } = dependencies
  const logger = dependencies.logger.child({ component: 'jobhost' })
  const threads = new WorkerCoordinatorThreads({
    entryUrl: coordinatorThreadUrl(),
    heapLimitBytes: options.configuration.get(COORDINATORS_HEAP_SIZE),
  })
  const host = new JobHost({ ...options, pid: process.pid }, { rpc, clock, logger, threads, onLost })
  const close = async (): Promise<void> => {
    await host.close()
    await rpc.close()
  }
  try {
    await host.start()
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Sources run as they are, built packages from `dist`. */
function coordinatorThreadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../entrypoint/coordinator-thread-main.${extension}`, import.meta.url)
}
