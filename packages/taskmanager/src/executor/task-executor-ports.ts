import type {
  Clock,
  InstanceId,
  Logger,
  LoggerOptions,
  Random,
  ResourceId,
  SerializedError,
} from '@flink-ts/common'
import type { ProcessMonitor, TaskExecutorRegistration } from '@flink-ts/gateways'
import type { BlobAccess, RpcService } from '@flink-ts/rpc'
import type { SlotThreadFactory } from '../slots/slot-thread.ts'
import type { TaskExecutorSettings } from '../taskmanager-options.ts'
import type { BundleCache } from './bundle-cache.ts'
import type { CachedFiles } from './cached-files.ts'
import type { NetworkPort } from './channel-registry.ts'

export interface TaskExecutorOptions {
  readonly resourceId: ResourceId
  readonly slots: number
  /** `host:port` of the record exchange, as other TaskManagers reach it. */
  readonly dataAddress: string
  readonly host: string
  readonly hardware: TaskExecutorRegistration['hardware']
  readonly resourceManagerAddress: string
  readonly settings: TaskExecutorSettings
  /** URIs of folders of this TaskManager alone, for copies of state; absent: none are kept. */
  readonly localStateFolders?: readonly string[]
  /** Where slot threads log. */
  readonly threadLogger: LoggerOptions
}

/** The network thread, as far as the TaskExecutor uses it. */
export interface TaskExecutorNetwork extends NetworkPort {
  onChannelFailed(listener: (channelId: string, error: SerializedError) => void): void
}

export interface TaskExecutorDependencies {
  readonly rpc: Pick<RpcService, 'connect'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly slotThreads: SlotThreadFactory
  /** Started; closed by its owner after {@link TaskExecutor.close}. */
  readonly network: TaskExecutorNetwork
  readonly bundles: BundleCache
  readonly cachedFiles: Pick<CachedFiles, 'paths' | 'fetch' | 'release'>
  /** Of this process. */
  readonly monitor: ProcessMonitor
  /** Of JobManagers: where large results go. */
  readonly blobs: Pick<BlobAccess, 'put'>
  /** Registered at a ResourceManager, for the first time or again. */
  readonly onRegistered?: (instanceId: InstanceId) => void
}
