import type { AddressInfo, Server } from 'node:net'
import type { Clock, Timer } from '@flink-ts/common'
import type { ChannelEnds } from '../channel/channel.ts'
import { BindFailed, ConnectionLost, UnknownChannel } from '../errors.ts'
import { Doorbell } from '../ring/doorbell.ts'
import { InboundConnection } from './inbound-connection.ts'
import { type Heartbeat, Liveness } from './liveness.ts'
import {
  type OpenRequest,
  type OutboundChannel,
  OutboundConnection,
  type OutboundEvents,
  outboundChannel,
} from './outbound-connection.ts'
import type { SocketFactory } from './socket-factory.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000

export interface NetworkEnvironmentOptions {
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly bindHost: string
  /** 0: any. */
  readonly port: number
  /** How long a consumer may wait for the producer to register a channel. */
  readonly openTimeoutMs: number
  readonly heartbeat: Heartbeat
  /** What those who connect must show, and what this process shows; undefined: nothing. */
  readonly authToken?: string | undefined
}

export interface NetworkEnvironmentDependencies {
  readonly clock: Clock
  readonly sockets: SocketFactory
  /** The bell of the thread that this runs in; ring ends of the network side use it. */
  readonly bell: SharedArrayBuffer
  readonly onChannelFailed: (channelId: string, error: Error) => void
}

type Connection = InboundConnection | OutboundConnection

interface PendingOpen {
  readonly request: OpenRequest
  readonly connection: OutboundConnection
  readonly timer: Timer
}

/**
 * All data connections of one process: one to each TaskManager that it consumes from, one from each that consumes from
 * it. Runs in the network thread. A channel that failed is reported once and forgotten; a released one is not reported.
 */
export class NetworkEnvironment {
  readonly #options: NetworkEnvironmentOptions
  readonly #dependencies: NetworkEnvironmentDependencies
  readonly #bell: Doorbell
  readonly #server: Server
  readonly #outbound = new Map<
    string,
    { channel: OutboundChannel; connection: OutboundConnection | undefined }
  >()
  /** Opened by the consumer before the producer registered them. */
  readonly #pending = new Map<string, PendingOpen>()
  readonly #accepted = new Set<OutboundConnection>()
  /** By remote address. */
  readonly #connections = new Map<string, InboundConnection>()
  readonly #liveness: Liveness<Connection>
  #closed = false

  constructor(options: NetworkEnvironmentOptions, dependencies: NetworkEnvironmentDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#bell = new Doorbell(dependencies.bell)
    this.#liveness = new Liveness(options.heartbeat, dependencies)
    this.#server = dependencies.sockets.createServer(socket => {
      const events: OutboundEvents = {
        opened: request => this.#opened(connection, request),
        closed: (number, channelId) => this.#closedByConsumer(connection, number, channelId),
        drained: channelId => this.#outbound.delete(channelId),
        lost: (channelIds, reason) => this.#outboundLost(connection, channelIds, reason),
      }
      const connection: OutboundConnection = new OutboundConnection(socket, events, options.authToken)
      this.#accepted.add(connection)
      this.#expectGreeting(connection)
    })
  }

  /** Listens and begins to serve rings. Resolves with the port. @throws network.bind-failed */
  start(): Promise<number> {
    const { bindHost, port } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', error =>
        reject(BindFailed({ host: bindHost, port, reason: error.message }, error)),
      )
      this.#server.listen(port, bindHost, () => {
        // Later errors of a listening server (no descriptors left) concern single connections, which the peer sees.
        this.#server.removeAllListeners('error').on('error', () => {})
        this.#liveness.start(() => [...this.#accepted, ...this.#connections.values()])
        // Never rejects: all it calls reports by events.
        void this.#serve()
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** This process produces the channel; a consumer may have opened it already. */
  openOutbound(ends: ChannelEnds): void {
    const channel = outboundChannel(ends)
    this.#outbound.set(ends.channelId, { channel, connection: undefined })
    const pending = this.#pending.get(ends.channelId)
    if (pending === undefined) return
    this.#pending.delete(ends.channelId)
    pending.timer.cancel()
    this.#attach(pending.connection, pending.request)
  }

  /** This process consumes the channel from `remoteAddress`, `host:port`. */
  openInbound(ends: ChannelEnds, remoteAddress: string): void {
    let connection = this.#connections.get(remoteAddress)
    if (connection === undefined) {
      connection = this.#connect(remoteAddress)
      this.#connections.set(remoteAddress, connection)
    }
    connection.open(ends)
  }

  /**
   * Forgets channels, of either direction. With `drain`, an outbound one is forgotten only when all that is in its ring
   * was sent, or no consumer opened it in time. Unknown ones are ignored.
   */
  release(channelIds: readonly string[], drain = false): void {
    for (const channelId of channelIds) {
      const outbound = this.#outbound.get(channelId)
      if (outbound !== undefined && drain) {
        outbound.channel.draining = true
        if (outbound.connection === undefined) this.#expectOpening(outbound.channel)
        else outbound.connection.pump()
      } else if (outbound !== undefined) {
        outbound.connection?.detach(channelId)
        this.#outbound.delete(channelId)
      }
      for (const [address, connection] of this.#connections) {
        if (!connection.release(channelId)) continue
        if (connection.idle) {
          this.#connections.delete(address)
          connection.end()
        }
        break
      }
    }
  }

  /** Ends all connections; nothing is reported any more. */
  close(): Promise<void> {
    this.#closed = true
    this.#liveness.stop()
    for (const { timer } of this.#pending.values()) timer.cancel()
    this.#pending.clear()
    this.#outbound.clear()
    for (const connection of this.#accepted) connection.fail('this process is closing')
    for (const connection of this.#connections.values()) connection.fail('this process is closing')
    this.#bell.ring()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }

  /** Moves data whenever a ring has changed. */
  async #serve(): Promise<void> {
    while (!this.#closed) {
      const ticket = this.#bell.ticket()
      for (const connection of this.#accepted) connection.pump()
      for (const connection of this.#connections.values()) connection.giveCredit()
      // Sockets must have their turn although bells keep ringing.
      await (this.#bell.wait(ticket) ?? new Promise(setImmediate))
    }
  }

  #connect(remoteAddress: string): InboundConnection {
    const { host, port } = parseAddress(remoteAddress)
    const connection = new InboundConnection(
      onData => this.#dependencies.sockets.connect(host, port, onData),
      {
        channelFailed: (channelId, error) => this.#report(channelId, error),
        lost: (channelIds, reason) => {
          if (this.#connections.get(remoteAddress) === connection) this.#connections.delete(remoteAddress)
          for (const channelId of channelIds)
            this.#report(channelId, ConnectionLost({ remoteAddress, reason }))
        },
      },
      this.#options.authToken,
    )
    this.#expectGreeting(connection)
    return connection
  }

  #expectGreeting(connection: Connection): void {
    const reason = `no answer within ${HANDSHAKE_TIMEOUT_MS} ms`
    const check = () => {
      if (!connection.greeted) connection.fail(reason)
    }
    this.#dependencies.clock.schedule(HANDSHAKE_TIMEOUT_MS, check, { unref: true })
  }

  /** The producer has finished. A consumer that died before it opened the channel never will; one that is late fails. */
  #expectOpening(channel: OutboundChannel): void {
    const { channelId } = channel
    const check = () => {
      const outbound = this.#outbound.get(channelId)
      if (outbound?.channel === channel && outbound.connection === undefined) this.#outbound.delete(channelId)
    }
    this.#dependencies.clock.schedule(this.#options.openTimeoutMs, check, { unref: true })
  }

  #opened(connection: OutboundConnection, request: OpenRequest): void {
    const { channelId } = request
    if (this.#outbound.has(channelId)) {
      this.#attach(connection, request)
      return
    }
    const waitedMs = this.#options.openTimeoutMs
    const giveUp = () => {
      this.#pending.delete(channelId)
      connection.refuse(request.number, UnknownChannel({ channelId, waitedMs }))
    }
    const timer = this.#dependencies.clock.schedule(waitedMs, giveUp)
    this.#pending.get(channelId)?.timer.cancel()
    this.#pending.set(channelId, { request, connection, timer })
  }

  #attach(connection: OutboundConnection, request: OpenRequest): void {
    const outbound = this.#outbound.get(request.channelId)
    if (outbound === undefined || outbound.connection !== undefined) {
      connection.refuse(request.number, UnknownChannel({ channelId: request.channelId, waitedMs: 0 }))
      return
    }
    outbound.connection = connection
    connection.attach(request, outbound.channel)
  }

  #closedByConsumer(connection: OutboundConnection, number: number, channelId: string | undefined): void {
    if (channelId !== undefined) {
      // The producer's task is told by the JobManager. What comes from a ring without consumer stays there.
      this.#outbound.delete(channelId)
      return
    }
    for (const [id, pending] of this.#pending) {
      if (pending.connection !== connection || pending.request.number !== number) continue
      pending.timer.cancel()
      this.#pending.delete(id)
    }
  }

  #outboundLost(connection: OutboundConnection, channelIds: readonly string[], reason: string): void {
    this.#accepted.delete(connection)
    for (const [id, pending] of this.#pending) {
      if (pending.connection !== connection) continue
      pending.timer.cancel()
      this.#pending.delete(id)
    }
    for (const channelId of channelIds) {
      const draining = this.#outbound.get(channelId)?.channel.draining === true
      this.#outbound.delete(channelId)
      if (draining) continue
      this.#report(channelId, ConnectionLost({ remoteAddress: connection.remoteAddress, reason }))
    }
  }

  #report(channelId: string, error: Error): void {
    if (!this.#closed) this.#dependencies.onChannelFailed(channelId, error)
  }
}

/** `host:port`, IPv6 addresses in brackets. */
function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon)
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(address.slice(colon + 1)) }
}
