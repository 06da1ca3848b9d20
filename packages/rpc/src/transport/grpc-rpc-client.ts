import type { Clock, Logger, Random, ResourceId } from '@flink-ts/common'
import type * as Grpc from '@grpc/grpc-js'
import type { BlobAccess } from '../blob/blob-access.ts'
import { GrpcBlobClient } from '../blob/grpc-blob-client.ts'
import type { RpcClient, RpcSession } from '../endpoint/rpc-session.ts'
import { ServiceNotRunning } from '../errors.ts'
import { checkedSettings, type SessionSettings } from '../rpc-options.ts'
import { type LocalSide, SessionConnector } from '../session/session-connector.ts'
import { withAuthToken } from './auth.ts'
import { channelOptions } from './channel-options.ts'
import { GrpcDialer } from './grpc-dialer.ts'

/** How long the end of sessions may take to reach their peers. */
const CLOSE_TIMEOUT_MS = 300
const CLOSE_CHECK_MS = 5

/** Who a client is. */
export interface GrpcRpcClientOptions {
  readonly resourceId: ResourceId
  /** Version of the product. */
  readonly version: string
  /** Absent ones have the defaults of the configuration keys. */
  readonly settings?: Partial<SessionSettings>
  /** `host:port` that this process listens on as long as it lives, for peers to see whether it does. */
  readonly probeAddress?: () => string | undefined
}

/** What gRPC services need. */
export interface GrpcRpcDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Sessions and blobs of other processes, for a process that listens on no port. */
export class GrpcRpcClient implements RpcClient {
  readonly resourceId: ResourceId
  readonly #settings: SessionSettings
  readonly #clock: Clock
  readonly #connector: SessionConnector
  #transport: { readonly dialer: GrpcDialer; readonly blobs: GrpcBlobClient } | undefined
  #closed = false

  /** Throws `rpc.invalid-heartbeat`. */
  constructor(options: GrpcRpcClientOptions, dependencies: GrpcRpcDependencies) {
    this.resourceId = options.resourceId
    this.#settings = checkedSettings(options.settings ?? {})
    this.#clock = dependencies.clock
    const process = {
      address: () => `client ${options.resourceId}`,
      resourceId: options.resourceId,
      version: options.version,
      settings: this.#settings,
      ...(options.probeAddress !== undefined && { probeAddress: options.probeAddress }),
    }
    this.#connector = new SessionConnector(process, dependencies)
  }

  get blobs(): BlobAccess {
    return this.#running().blobs
  }

  /** Loads gRPC; call it before anything else. */
  async start(): Promise<void> {
    const grpc = await loadGrpc()
    const { authToken, maxMessageBytes } = this.#settings
    const options = withAuthToken(channelOptions(maxMessageBytes), authToken, grpc)
    this.#transport = {
      dialer: new GrpcDialer(options, { grpc, clock: this.#clock }),
      blobs: new GrpcBlobClient(options, { grpc }),
    }
  }

  async connect(address: string, endpointName: string, local: LocalSide): Promise<RpcSession> {
    return this.#connector.connect(this.#running().dialer, address, endpointName, local)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#connector.close('the process closed its RPC client')
    const transport = this.#transport
    if (transport === undefined) return
    await settledWithin(this.#clock, CLOSE_TIMEOUT_MS, () => transport.dialer.open === 0)
    transport.dialer.close()
    transport.blobs.close()
  }

  #running(): { readonly dialer: GrpcDialer; readonly blobs: GrpcBlobClient } {
    if (this.#transport === undefined || this.#closed) {
      throw ServiceNotRunning({ address: `client ${this.resourceId}` })
    }
    return this.#transport
  }
}

/** grpc-js takes a good part of a process' start: it is loaded when a service starts, beside other work. */
export async function loadGrpc(): Promise<typeof Grpc> {
  const grpc = await import('@grpc/grpc-js')
  // Everything it would say arrives as an error or a break, and is reported with more context.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE)
  return grpc
}

/** Resolves when `done` answers true, or after `timeoutMs`. */
export function settledWithin(clock: Clock, timeoutMs: number, done: () => boolean): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  return new Promise(resolve => {
    const check = (): void => {
      if (done() || clock.monotonicMs() >= deadlineMs) resolve()
      else clock.schedule(CLOSE_CHECK_MS, check)
    }
    check()
  })
}
