import type { Clock, JobId, Logger, Timer } from '@flink-ts/common'
import {
  type JobMasterResourceGateway,
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  resourceManagerGateway,
} from '@flink-ts/gateways'
import type { RpcService, RpcSession } from '@flink-ts/rpc'

const FIRST_RETRY_MS = 50
const MAX_RETRY_MS = 1000

export interface ResourceManagerConnectionOptions {
  readonly jobId: JobId
  readonly resourceManagerAddress: string
  /** Endpoint of the JobMaster. */
  readonly endpointName: string
}

export interface ResourceManagerConnectionDependencies {
  readonly rpc: RpcService
  readonly clock: Clock
  readonly logger: Logger
  /** What the ResourceManager may call. */
  readonly handlers: JobMasterResourceGateway
}

/**
 * Keeps a JobMaster registered at the ResourceManager and its requirement declared there: connects again for as long
 * as it is open, with pauses of up to 1 s. Owner: JobMaster main thread.
 */
export class ResourceManagerConnection {
  readonly #options: ResourceManagerConnectionOptions
  readonly #deps: ResourceManagerConnectionDependencies
  #slots = 0
  #session: RpcSession | undefined
  #gateway: ResourceManagerGateway | undefined
  #retryTimer: Timer | undefined
  #retryMs = FIRST_RETRY_MS
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(
    options: ResourceManagerConnectionOptions,
    dependencies: ResourceManagerConnectionDependencies,
  ) {
    this.#options = options
    this.#deps = dependencies
  }

  open(): void {
    if (this.#state !== 'new') return
    this.#state = 'open'
    this.#connect()
  }

  /** Replaces the requirement; settles when it is delivered, or when it cannot be now (it is repeated then). */
  async declare(slots: number): Promise<void> {
    this.#slots = slots
    const gateway = this.#gateway
    if (gateway === undefined) return
    try {
      await gateway.declareRequiredResources({ jobId: this.#options.jobId, slots })
    } catch (error) {
      this.#deps.logger.warn({ jobId: this.#options.jobId, error }, 'Requirement not delivered')
    }
  }

  close(reason: string): void {
    this.#state = 'closed'
    this.#retryTimer?.cancel()
    const session = this.#session
    // Forgotten first: its end must not look like a loss.
    this.#session = undefined
    this.#gateway = undefined
    session?.close(reason)
  }

  #connect(): void {
    const { resourceManagerAddress: address, endpointName, jobId } = this.#options
    this.#register(address, endpointName).catch((error: unknown) => {
      if (this.#state !== 'open') return
      const retryMs = this.#retryMs
      this.#deps.logger.warn({ jobId, address, error, retryMs }, 'ResourceManager not reached')
      this.#retryLater()
    })
  }

  async #register(address: string, endpointName: string): Promise<void> {
    const { jobId } = this.#options
    const { rpc, handlers, logger } = this.#deps
    const local = { name: endpointName, handlers: () => handlers }
    const session = await rpc.connect(address, RESOURCE_MANAGER_ENDPOINT, local)
    if (this.#isClosed()) {
      session.close('the job is over')
      return
    }
    const gateway = session.gateway(resourceManagerGateway)
    this.#session = session
    try {
      await gateway.registerJobMaster({
        jobId,
        jobMasterAddress: rpc.address,
        jobMasterEndpoint: endpointName,
      })
    } catch (error) {
      this.#session = undefined
      session.close('registration failed')
      throw error
    }
    if (this.#isClosed()) return
    this.#gateway = gateway
    this.#retryMs = FIRST_RETRY_MS
    session.onLost(cause => {
      if (this.#session !== session) return
      this.#session = undefined
      this.#gateway = undefined
      logger.warn({ jobId, error: cause }, 'Connection to the ResourceManager lost')
      this.#retryLater()
    })
    logger.debug({ jobId }, 'Registered at the ResourceManager')
    await this.declare(this.#slots)
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #retryLater(): void {
    this.#retryTimer = this.#deps.clock.schedule(this.#retryMs, () => this.#connect())
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2)
  }
}
