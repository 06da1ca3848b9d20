import { type Clock, isLoopback, type Logger, type ResourceId, serializeError } from '@flink-ts/common'
import type * as Grpc from '@grpc/grpc-js'
import type { BlobAccess, BlobStore } from '../blob/blob-access.ts'
import { GrpcBlobClient } from '../blob/grpc-blob-client.ts'
import { blobHandlers } from '../blob/grpc-blob-service.ts'
import type { RpcClient, RpcEndpoint, RpcService, RpcSession } from '../endpoint/rpc-session.ts'
import { BindFailed, ServiceNotRunning, UnauthenticatedBinding } from '../errors.ts'
import { blobService } from '../gen/blob.ts'
import { type Envelope, sessionService } from '../gen/session.ts'
import { checkedSettings, type SessionSettings } from '../rpc-options.ts'
import { type LocalSide, SessionConnector } from '../session/session-connector.ts'
import { type LocalProcess, SessionHost } from '../session/session-host.ts'
import { checkAuthToken, withAuthToken } from './auth.ts'
import { channelOptions } from './channel-options.ts'
import { GrpcDialer } from './grpc-dialer.ts'
import { GrpcLink } from './grpc-link.ts'
import { type GrpcRpcDependencies, loadGrpc, settledWithin } from './grpc-rpc-client.ts'
import { OwnDialer } from './own-dialer.ts'
import { tcpPeerProbe } from './tcp-peer-probe.ts'

const CLOSE_TIMEOUT_MS = 300
/** How a service that listens everywhere is reached on its own machine. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where a process listens and who it is. */
export interface GrpcRpcServiceOptions {
  /** Address to listen on: `127.0.0.1`, `0.0.0.0`, `::`. */
  readonly bindHost: string
  /** 0: any free one. */
  readonly port: number
  /** Host under which peers reach this process; `bindHost` if absent. */
  readonly advertisedHost?: string
  /** Port under which peers reach this process if something lies in between; the real one if absent. */
  readonly advertisedPort?: number
  readonly resourceId: ResourceId
  /** Version of the product. */
  readonly version: string
  /** Absent ones have the defaults of the configuration keys. */
  readonly settings?: Partial<SessionSettings>
}

interface Running {
  readonly server: Grpc.Server
  readonly dialer: GrpcDialer
  readonly blobs: GrpcBlobClient
  readonly port: number
}

/** Endpoints of this process over gRPC, and sessions and blobs of others. One server port for everything. */
export class GrpcRpcService implements RpcService, RpcClient {
  readonly resourceId: ResourceId
  readonly #options: GrpcRpcServiceOptions
  readonly #settings: SessionSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #host: SessionHost
  readonly #connector: SessionConnector
  readonly #own: OwnDialer
  readonly #accepted = new Set<GrpcLink>()
  #blobStore: BlobStore | undefined
  #running: Running | undefined
  #closed = false

  /** Throws `rpc.invalid-heartbeat`. */
  constructor(options: GrpcRpcServiceOptions, dependencies: GrpcRpcDependencies) {
    this.resourceId = options.resourceId
    this.#options = options
    this.#settings = checkedSettings(options.settings ?? {})
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
    const process: LocalProcess = {
      address: () => this.address,
      resourceId: options.resourceId,
      version: options.version,
      settings: this.#settings,
    }
    this.#host = new SessionHost(process, { ...dependencies, probe: tcpPeerProbe(dependencies) })
    this.#connector = new SessionConnector(process, dependencies)
    this.#own = new OwnDialer(this.#host)
  }

  /** Known once started. */
  get address(): string {
    const port = this.#running?.port
    if (port === undefined)
      throw ServiceNotRunning({ address: addressOf(this.#options.bindHost, this.#options.port) })
    const { advertisedHost, advertisedPort, bindHost } = this.#options
    return addressOf(advertisedHost ?? bindHost, advertisedPort ?? port)
  }

  /** Where this service is reached on this machine, whatever lies in between for others. Known once started. */
  get localAddress(): string {
    const port = this.#running?.port
    const { bindHost } = this.#options
    if (port === undefined) throw ServiceNotRunning({ address: addressOf(bindHost, this.#options.port) })
    return addressOf(LOOPBACK_OF[bindHost] ?? bindHost, port)
  }

  get blobs(): BlobAccess {
    return this.#transport().blobs
  }

  /** Loads gRPC and listens. Rejects with `rpc.bind-failed`, `rpc.unauthenticated-binding`. */
  async start(): Promise<void> {
    const grpc = await loadGrpc()
    const { authToken, allowUnauthenticated, maxMessageBytes } = this.#settings
    const { bindHost } = this.#options
    if (authToken === undefined && !allowUnauthenticated && !isLoopback(bindHost)) {
      throw UnauthenticatedBinding({ bindHost })
    }
    const options = channelOptions(maxMessageBytes)
    const server = new grpc.Server(options)
    server.addService(sessionService as unknown as Grpc.ServiceDefinition, {
      open: (stream: Grpc.ServerDuplexStream<Envelope, Envelope>) => this.#accept(stream),
    })
    server.addService(
      blobService as unknown as Grpc.ServiceDefinition,
      blobHandlers(
        () => this.#blobStore,
        () => this.address,
        authToken,
      ) as unknown as Grpc.UntypedServiceImplementation,
    )
    const port = await this.#listen(grpc, server)
    this.#running = {
      server,
      port,
      dialer: new GrpcDialer(withAuthToken(options, authToken, grpc), { grpc, clock: this.#clock }),
      blobs: new GrpcBlobClient(withAuthToken(options, authToken, grpc), { grpc }),
    }
    this.#logger.debug({ address: this.address }, 'RPC service listens')
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
    const { dialer } = this.#transport()
    return this.#connector.connect(
      address === this.address ? this.#own : dialer,
      address,
      endpointName,
      local,
    )
  }

  async close(): Promise<void> {
    const running = this.#running
    if (this.#closed || running === undefined) {
      this.#closed = true
      return
    }
    this.#connector.close('its process ends')
    this.#host.close('its process ends')
    this.#closed = true
    await settledWithin(this.#clock, CLOSE_TIMEOUT_MS, () => running.dialer.open + this.#accepted.size === 0)
    running.dialer.close()
    running.blobs.close()
    running.server.forceShutdown()
  }

  #accept(stream: Grpc.ServerDuplexStream<Envelope, Envelope>): void {
    const link = new GrpcLink(
      stream,
      () => {
        this.#accepted.delete(link)
        stream.end()
      },
      { clock: this.#clock },
    )
    this.#accepted.add(link)
    try {
      checkAuthToken(stream.metadata, this.#settings.authToken, this.address)
    } catch (error) {
      this.#logger.warn({ error, peer: stream.getPeer() }, 'Refused a connection without the right token')
      link.send({
        ack: 0,
        body: { case: 'refusal', value: { error: JSON.stringify(serializeError(error)) } },
      })
      link.close()
      return
    }
    this.#host.accept(link)
  }

  async #listen(grpc: typeof Grpc, server: Grpc.Server): Promise<number> {
    const address = addressOf(this.#options.bindHost, this.#options.port)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port)
      else reject(BindFailed({ address, reason: error.message }, error))
    })
    try {
      return await promise
    } catch (error) {
      server.forceShutdown()
      throw error
    }
  }

  #transport(): Running {
    if (this.#running === undefined || this.#closed) {
      throw ServiceNotRunning({ address: addressOf(this.#options.bindHost, this.#options.port) })
    }
    return this.#running
  }
}

function addressOf(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}
