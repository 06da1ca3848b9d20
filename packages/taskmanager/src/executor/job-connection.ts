import {
  type AllocationId,
  type Clock,
  isFlinkError,
  type JobId,
  type Logger,
  type Random,
} from '@flink-ts/common'
import {
  type JobMasterGateway,
  jobMasterGateway,
  type SlotOffer,
  type TaskExecutorGateway,
  type TaskManagerRegistration,
} from '@flink-ts/gateways'
import type { RpcService, RpcSession } from '@flink-ts/rpc'
import type { BackoffSettings } from '../taskmanager-options.ts'
import { retryWithBackoff } from './backoff.ts'

const ENDPOINT_NOT_FOUND = 'rpc.endpoint-not-found'

/** What a TaskExecutor lets the JobMaster of a job do. */
export type JobHandlers = Omit<TaskExecutorGateway, 'requestSlot' | 'inspect'>

export interface JobConnectionListener {
  /** The JobMaster has taken these. */
  accepted(connection: JobConnection, allocations: readonly AllocationId[]): void
  /** The JobMaster did not want these, or could not be reached in time. */
  rejected(allocations: readonly AllocationId[], reason: string): void
  /** The JobMaster is gone: all that belongs to its job is to be freed. */
  lost(connection: JobConnection, reason: string): void
}

interface JobConnectionOptions {
  readonly jobId: JobId
  readonly address: string
  readonly endpoint: string
  readonly registration: TaskManagerRegistration
  readonly backoff: BackoffSettings
  /** How long slots wait for the JobMaster. */
  readonly slotTimeoutMs: number
}

interface JobConnectionDependencies {
  readonly rpc: Pick<RpcService, 'connect'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly handlers: JobHandlers
  readonly listener: JobConnectionListener
}

/** The TaskExecutor's session to the JobMaster of one job, shared by all slots of the job. Owner: TaskExecutor main thread. */
export class JobConnection {
  readonly jobId: JobId
  readonly #options: JobConnectionOptions
  readonly #ports: JobConnectionDependencies
  #session: RpcSession | undefined
  #gateway: JobMasterGateway | undefined
  #offers: SlotOffer[] = []
  #closed = false

  constructor(options: JobConnectionOptions, dependencies: JobConnectionDependencies) {
    this.jobId = options.jobId
    this.#options = options
    this.#ports = dependencies
  }

  start(): void {
    // Failures are reported to the listener.
    void this.#connect()
  }

  /** Offers a slot, at once or when the connection is there. */
  offer(offer: SlotOffer): void {
    this.#offers.push(offer)
    // Failures are reported to the listener.
    if (this.#gateway !== undefined) void this.#sendOffers()
  }

  /** Takes back an offer that was not sent yet. */
  withdraw(allocationId: AllocationId): void {
    this.#offers = this.#offers.filter(offer => offer.allocationId !== allocationId)
  }

  /** Makes a call whose failure matters only to the log: if the session is lost, everything of the job is freed. */
  tell(what: string, call: (gateway: JobMasterGateway) => Promise<unknown>): void {
    const gateway = this.#gateway
    if (gateway === undefined) return
    call(gateway).catch((error: unknown) => {
      if (!this.#closed)
        this.#ports.logger.warn({ jobId: this.jobId, what, error }, 'message to the JobMaster failed')
    })
  }

  /** Idempotent. */
  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#gateway = undefined
    this.#session?.close(reason)
  }

  async #connect(): Promise<void> {
    const { clock, listener, rpc, handlers } = this.#ports
    const { address, endpoint, backoff, slotTimeoutMs, registration } = this.#options
    const deadlineMs = clock.monotonicMs() + slotTimeoutMs
    try {
      const session = await retryWithBackoff(
        backoff,
        this.#ports,
        'connection to the JobMaster',
        () => rpc.connect(address, endpoint, { name: 'task-executor', handlers: () => handlers }),
        error =>
          !this.#closed &&
          clock.monotonicMs() < deadlineMs &&
          isFlinkError(error) &&
          error.retry === 'backoff' &&
          // It served its endpoint before it asked for the slot: the job has ended meanwhile.
          error.code !== ENDPOINT_NOT_FOUND,
      )
      if (this.#closed) {
        session.close('the slots were freed meanwhile')
        return
      }
      this.#session = session
      session.onLost(cause => this.#lost(cause.message, cause.data['closedByPeer'] === true))
      const gateway = session.gateway(jobMasterGateway)
      await gateway.registerTaskManager(registration)
      if (this.#closed) return
      this.#gateway = gateway
      await this.#sendOffers()
    } catch (error) {
      if (this.#closed) return
      this.#ports.logger.warn({ jobId: this.jobId, error }, 'JobMaster could not be reached')
      listener.lost(this, error instanceof Error ? error.message : String(error))
    }
  }

  async #sendOffers(): Promise<void> {
    const offers = this.#offers
    if (offers.length === 0) return
    this.#offers = []
    try {
      const accepted = new Set(await (this.#gateway as JobMasterGateway).offerSlots(offers))
      if (this.#closed) return
      const rejected = offers.map(({ allocationId }) => allocationId).filter(id => !accepted.has(id))
      this.#ports.listener.accepted(this, [...accepted])
      if (rejected.length > 0) this.#ports.listener.rejected(rejected, 'the JobMaster did not want it')
    } catch (error) {
      if (this.#closed) return
      const reason = error instanceof Error ? error.message : String(error)
      this.#ports.listener.rejected(
        offers.map(({ allocationId }) => allocationId),
        reason,
      )
    }
  }

  /** @param closed the JobMaster ended the connection, as it does when its job is over */
  #lost(reason: string, closed: boolean): void {
    if (this.#closed) return
    this.#gateway = undefined
    if (closed) this.#ports.logger.info({ jobId: this.jobId, reason }, 'connection closed by the JobMaster')
    else this.#ports.logger.warn({ jobId: this.jobId, reason }, 'connection to the JobMaster lost')
    this.#ports.listener.lost(this, reason)
  }
}
