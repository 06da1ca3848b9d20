import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock, Configuration, InstanceId, Logger, LoggerOptions, Random } from '@flink-ts/common'
import { toUri } from '@flink-ts/filesystem'
import { NetworkThreadClient } from '@flink-ts/network'
import { type RpcClient, sessionSettingsOf } from '@flink-ts/rpc'
import {
  BlobBundleCache,
  CachedFiles,
  type SlotThread,
  type SlotThreadFactory,
  TaskExecutor,
  taskExecutorSettingsOf,
  WorkerSlotThreads,
} from '@flink-ts/taskmanager'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'
import type { NamedThread } from '../monitoring/process-metrics.ts'

export interface TaskManagerComponentsOptions {
  readonly configuration: Configuration
  readonly resourceManagerAddress: string
  readonly slots: number
  /** Folder of this TaskManager alone. */
  readonly bundleFolder: string
  /** Folder of this TaskManager alone, for state that is kept in files. */
  readonly storeFolder: string
  /** Folders of this TaskManager alone, for copies of state. */
  readonly localStateFolders: readonly string[]
  readonly dataBindHost: string
  /** Host under which others reach the record exchange. */
  readonly dataHost: string
  /** 0: any free one. */
  readonly dataPort: number
  readonly threadLogger: LoggerOptions
  /** Keeps a slot thread ready for the next slot: for processes that run many jobs. */
  readonly keepSpareThread?: boolean
}

export interface TaskManagerComponentsDependencies {
  readonly rpc: RpcClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onRegistered?: (instanceId: InstanceId) => void
  /** Told the `host:port` of the record exchange before the first registration. */
  readonly onListening?: (dataAddress: string) => void
  /** The record exchange is gone: tasks that are deployed from now on fail. */
  readonly onExchangeLost?: (error: Error) => void
}

/** A TaskExecutor with its network thread and slot threads. */
export interface TaskManagerComponents {
  /** Running slot threads: tests end them to see what happens. */
  readonly slotThreads: ReadonlySet<SlotThread>
  /** See `TaskExecutor.drain`. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** Starts the record exchange, then the TaskExecutor, which registers as soon as it can. */
export async function startTaskManagerComponents(
  options: TaskManagerComponentsOptions,
  dependencies: TaskManagerComponentsDependencies,
): Promise<TaskManagerComponents> {
  const { configuration, dataBindHost, dataHost, dataPort } = options
  const { rpc, logger } = dependencies
  const session = sessionSettingsOf(configuration)
  const network = new NetworkThreadClient({
    heartbeat: { intervalMs: session.heartbeatIntervalMs, timeoutMs: session.heartbeatTimeoutMs },
    authToken: session.authToken,
  })
  const { port } = await network.start({ bindHost: dataBindHost, port: dataPort })
  const dataAddress = `${dataHost}:${port}`
  dependencies.onListening?.(dataAddress)
  network.onLost(error => dependencies.onExchangeLost?.(error))
  const workers = new WorkerSlotThreads(
    { entryUrl: slotThreadUrl(), keepSpare: options.keepSpareThread === true },
    { clock: dependencies.clock },
  )
  const threads = new TrackedSlotThreads(workers)
  const { file: logFile } = options.threadLogger
  const monitor = new NodeProcessMonitor(
    { logFile: typeof logFile === 'string' ? logFile : undefined },
    { clock: dependencies.clock, threads: () => threadsOf(workers, network) },
  )
  const executor = new TaskExecutor(
    {
      resourceId: rpc.resourceId,
      slots: options.slots,
      dataAddress,
      host: dataHost,
      hardware: { cpuCores: availableParallelism(), physicalMemoryBytes: totalmem(), pid: process.pid },
      resourceManagerAddress: options.resourceManagerAddress,
      settings: taskExecutorSettingsOf(configuration, options.slots, options.storeFolder),
      threadLogger: options.threadLogger,
      localStateFolders: options.localStateFolders.map(folder => toUri(folder)),
    },
    {
      ...dependencies,
      logger,
      slotThreads: threads,
      network,
      blobs: rpc.blobs,
      monitor,
      cachedFiles: new CachedFiles(
        { directory: join(options.bundleFolder, 'cached-files') },
        { ...dependencies, blobs: rpc.blobs },
      ),
      bundles: new BlobBundleCache(
        { directory: options.bundleFolder },
        { ...dependencies, blobs: rpc.blobs },
      ),
    },
  )
  executor.start()
  return {
    slotThreads: threads.running,
    drain: () => executor.drain(),
    async close() {
      await executor.close()
      monitor.close()
      await workers.close()
      await network.close()
      await rpc.close()
    },
  }
}

/** Threads of a TaskManager beside the main one. */
function threadsOf(workers: WorkerSlotThreads, network: NetworkThreadClient): readonly NamedThread[] {
  const slots = [...workers.running].map(worker => ({
    name: `slot-${workers.slotOf(worker)?.split('_').at(-1)}`,
    worker,
  }))
  return network.worker === undefined ? slots : [...slots, { name: 'network', worker: network.worker }]
}

/** Sources run as they are, built packages from `dist`. */
function slotThreadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../entrypoint/slot-thread-main.${extension}`, import.meta.url)
}

class TrackedSlotThreads implements SlotThreadFactory {
  readonly running = new Set<SlotThread>()
  readonly #inner: SlotThreadFactory

  constructor(inner: SlotThreadFactory) {
    this.#inner = inner
  }

  start(...[data, listener]: Parameters<SlotThreadFactory['start']>): SlotThread {
    const thread = this.#inner.start(data, {
      report: report => listener.report(report),
      ended: (exitCode, error) => {
        this.running.delete(thread)
        listener.ended(exitCode, error)
      },
    })
    this.running.add(thread)
    return thread
  }
}
