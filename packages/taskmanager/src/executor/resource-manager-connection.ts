import type { AllocationId, Clock, InstanceId, Logger, Random, SlotId } from '@flink-ts/common'
import {
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  resourceManagerGateway,
  type SlotStatus,
  type TaskExecutorGateway,
  type TaskExecutorRegistration,
} from '@flink-ts/gateways'
import type { RpcService, RpcSession } from '@flink-ts/rpc'
import type { BackoffSettings } from '../taskmanager-options.ts'
import { retryWithBackoff } from './backoff.ts'

interface ResourceManagerConnectionOptions {
  readonly address: string
  readonly backoff: BackoffSettings
}

interface ResourceManagerConnectionDependencies {
  readonly rpc: Pick<RpcService, 'connect'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly handlers: Pick<TaskExecutorGateway, 'requestSlot' | 'inspect'>
  readonly registration: () => TaskExecutorRegistration
  readonly onRegistered: (instanceId: InstanceId) => void
}

/**
 * The TaskExecutor's registration at the ResourceManager: made at start, made again whenever it is lost, whatever the
 * order in which processes come up. Slots and jobs are not touched by a loss. Owner: TaskExecutor main thread.
 */
export class ResourceManagerConnection {
  readonly #options: ResourceManagerConnectionOptions
  readonly #ports: ResourceManagerConnectionDependencies
  #session: RpcSession | undefined
  #current: { readonly gateway: ResourceManagerGateway; readonly instanceId: InstanceId } | undefined
  #closed = false
  #withdrawn = false

  constructor(
    options: ResourceManagerConnectionOptions,
    dependencies: ResourceManagerConnectionDependencies,
  ) {
    this.#options = options
    this.#ports = dependencies
  }

  start(): void {
    // Ends only when the connection is closed.
    void this.#connect()
  }

  /** A slot is free again. Without a registration the next one says so. */
  notifySlotAvailable(slotId: SlotId, allocationId: AllocationId): void {
    const current = this.#current
    if (current === undefined) return
    current.gateway.notifySlotAvailable(current.instanceId, slotId, allocationId).catch((error: unknown) => {
      // The session is lost with it, and the next registration has all slots.
      this.#ports.logger.info({ slotId, error }, 'free slot could not be reported')
    })
  }

  /** Lets the ResourceManager give away no more slots, now and after every registration to come. */
  withdrawFreeSlots(): void {
    this.#withdrawn = true
    this.#tellWithdrawn()
  }

  close(): void {
    this.#closed = true
    this.#current = undefined
    this.#session?.close('the TaskManager is shutting down')
  }

  #tellWithdrawn(): void {
    this.#current?.gateway.withdrawFreeSlots(this.#current.instanceId).catch((error: unknown) => {
      // Lost with the session, or an older ResourceManager: slots that it still asks for are refused.
      this.#ports.logger.info({ error }, 'the ResourceManager does not know that this TaskManager drains')
    })
  }

  async #connect(): Promise<void> {
    const { logger } = this.#ports
    try {
      const attempt = (): Promise<void> => this.#register()
      await retryWithBackoff(
        this.#options.backoff,
        this.#ports,
        'registration at the ResourceManager',
        attempt,
        () => !this.#closed,
      )
    } catch (error) {
      logger.debug({ error }, 'registration given up, the TaskManager is closing')
    }
  }

  async #register(): Promise<void> {
    const { rpc, handlers, registration, onRegistered, logger } = this.#ports
    const session = await rpc.connect(this.#options.address, RESOURCE_MANAGER_ENDPOINT, {
      name: 'task-executor',
      handlers: () => handlers,
    })
    if (this.#closed) {
      session.close('the TaskManager is shutting down')
      return
    }
    this.#session = session
    const gateway = session.gateway(resourceManagerGateway)
    const registered = registration()
    let instanceId: InstanceId
    try {
      instanceId = (await gateway.registerTaskExecutor(registered)).instanceId
    } catch (error) {
      session.close('the registration failed')
      throw error
    }
    this.#current = { gateway, instanceId }
    logger.info({ instanceId, address: this.#options.address }, 'registered at the ResourceManager')
    // What became free while the registration was on its way would stay taken in the ResourceManager's eyes.
    this.#reportChanges(registered.slots, registration().slots)
    if (this.#withdrawn) this.#tellWithdrawn()
    onRegistered(instanceId)
    session.onLost(cause => {
      if (this.#closed || this.#session !== session) return
      this.#current = undefined
      logger.warn({ cause }, 'connection to the ResourceManager lost')
      // Never rejects.
      void this.#connect()
    })
  }

  #reportChanges(before: readonly SlotStatus[], now: readonly SlotStatus[]): void {
    const current = new Map(now.map(slot => [slot.slotId, slot.allocation?.allocationId]))
    for (const { slotId, allocation } of before) {
      if (allocation === undefined || current.get(slotId) === allocation.allocationId) continue
      this.notifySlotAvailable(slotId, allocation.allocationId)
    }
  }
}
