import type { Clock, Logger, Random, ResourceId } from '@flink-ts/common'
import type { BlobAccess, BlobStore } from '../blob/blob-access.ts'
import { DirectBlobAccess } from '../blob/direct-blob-access.ts'
import type { RpcClient, RpcEndpoint, RpcService, RpcSession } from '../endpoint/rpc-session.ts'
import { ServiceNotRunning } from '../errors.ts'
import { checkedSettings, type SessionSettings } from '../rpc-options.ts'
import type { Dialer } from '../session/link.ts'
import { type LocalSide, SessionConnector } from '../session/session-connector.ts'
import { type LocalProcess, SessionHost } from '../session/session-host.ts'
import type { InProcessNetwork } from './in-process-network.ts'
import { OwnDialer } from './own-dialer.ts'

/** Who a process on an in-process network is. */
export interface InProcessRpcServiceOptions {
  readonly resourceId: ResourceId
  /** Version of the product. */
  readonly version: string
  /** A name of its own on the network; a new one if absent. */
  readonly address?: string
  /** Absent ones have the defaults of the configuration keys. */
  readonly settings?: Partial<SessionSettings>
}

/**
 * One "process" on an {@link InProcessNetwork}: the same sessions as over gRPC, without sockets. What is passed is
 * encoded and decoded all the same, so that nothing is shared and nothing works here that would fail between processes.
 */
export class InProcessRpcService implements RpcService, RpcClient {
  readonly address: string
  readonly resourceId: ResourceId
  readonly blobs: BlobAccess
  readonly #network: InProcessNetwork
  readonly #host: SessionHost
  readonly #connector: SessionConnector
  readonly #own: OwnDialer
  readonly #others: Dialer
  #blobStore: BlobStore | undefined
  #closed = false

  /** Joins the network at once. Throws `rpc.invalid-heartbeat`. */
  constructor(
    options: InProcessRpcServiceOptions,
    dependencies: {
      readonly network: InProcessNetwork
      readonly clock: Clock
      readonly random: Random
      readonly logger: Logger
    },
  ) {
    this.#network = dependencies.network
    this.resourceId = options.resourceId
    this.address = options.address ?? this.#network.newAddress()
    const local: LocalProcess = {
      address: () => this.address,
      resourceId: options.resourceId,
      version: options.version,
      settings: checkedSettings(options.settings ?? {}),
    }
    this.#host = new SessionHost(local, dependencies)
    this.#connector = new SessionConnector(local, dependencies)
    this.#own = new OwnDialer(this.#host)
    this.#others = { dial: address => this.#network.dial(this.address, address) }
    this.blobs = new DirectBlobAccess(address =>
      address === this.address ? this.#blobStore : this.#network.blobStore(this.address, address),
    )
    this.#network.join(this.address, { host: this.#host, blobStore: () => this.#blobStore })
  }

  /** From now on, others get and put blobs here. */
  serveBlobs(store: BlobStore): void {
    this.#blobStore = store
  }

  serve(endpoint: RpcEndpoint): void {
    this.#host.serve(endpoint)
  }

  withdraw(endpointName: string): void {
    this.#host.withdraw(endpointName)
  }

  async connect(address: string, endpointName: string, local: LocalSide): Promise<RpcSession> {
    if (this.#closed) throw ServiceNotRunning({ address: this.address })
    const dialer = address === this.address ? this.#own : this.#others
    return this.#connector.connect(dialer, address, endpointName, local)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#connector.close('its process ends')
    this.#host.close('its process ends')
    // What was sent last is delivered in microtasks; the links end by themselves.
    await this.#network.settle()
    this.#network.leave(this.address)
  }

  /** Ends as a killed process does: peers hear nothing but the break of their links. */
  kill(): void {
    if (this.#closed) return
    this.#closed = true
    this.#network.leave(this.address)
    this.#connector.abandon('the process was killed')
    this.#host.abandon('the process was killed')
  }
}
