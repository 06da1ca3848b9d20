import { type Clock, isFlinkError, type Logger } from '@flink-ts/common'
import { DISPATCHER_ENDPOINT, type DispatcherGateway, dispatcherGateway } from '@flink-ts/gateways'
import type { RpcClient, RpcSession } from '@flink-ts/rpc'
import { ClientClosed, NoJobManager } from '../errors.ts'

const FIRST_PAUSE_MS = 50

/** What happens to the connection of a client after it was there once. */
export type ConnectionEvent =
  | { readonly type: 'lost'; readonly reason: string; readonly reconnectTimeoutMs: number }
  /** A try to connect again failed; the next follows. */
  | { readonly type: 'absent'; readonly reason: string; readonly sinceMs: number }
  | { readonly type: 'restored'; readonly afterMs: number }

/** Where the Dispatcher is and how patient to be. */
export interface DispatcherConnectionOptions {
  readonly address: string
  /** Name of this client in the logs of the JobManager. */
  readonly clientName: string
  /** For the first connection. */
  readonly connectTimeoutMs: number
  /** For each later one: the cluster did answer once. */
  readonly reconnectTimeoutMs: number
  readonly maxPauseMs: number
  /** Told of losses and returns, in order; of the first connection nothing. */
  readonly onConnection?: (event: ConnectionEvent) => void
}

/**
 * A session to the Dispatcher that is opened again when it is lost. Calls that had no answer are made again: all of
 * them are idempotent, but for the submission, whose repetition is told by `dispatcher.duplicate-job`.
 */
export class DispatcherConnection {
  readonly #options: DispatcherConnectionOptions
  readonly #rpc: RpcClient
  readonly #clock: Clock
  readonly #logger: Logger
  #session: RpcSession | undefined
  #opening: Promise<RpcSession> | undefined
  /** When the last session was lost, on the monotonic clock; undefined: it was not, or is replaced. */
  #lostAtMs: number | undefined
  #wasOpen = false
  #closed = false
  readonly #pauses = new Set<() => void>()

  constructor(
    options: DispatcherConnectionOptions,
    dependencies: { readonly rpc: RpcClient; readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#options = options
    this.#rpc = dependencies.rpc
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
  }

  /** Opens the session, if it is not open. Rejects with `client.no-jobmanager`, `rpc.version-mismatch`. */
  async open(): Promise<void> {
    await this.#current()
  }

  /**
   * Asks the Dispatcher; again and again while the answer is lost with the session.
   * @param ask `retries` 0 at first: how often it was asked before without an answer
   */
  async call<T>(name: string, ask: (gateway: DispatcherGateway, retries: number) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      const session = await this.#current()
      try {
        return await ask(session.gateway(dispatcherGateway), retries)
      } catch (error) {
        // An error with a living session is the Dispatcher's answer, whatever its code.
        if (!session.lost || this.#closed) throw error
        this.#logger.warn(
          { call: name, retries, cause: error },
          'Lost the JobManager during a call; asking again',
        )
        if (retries > 0) await this.pause(retries)
      }
    }
  }

  /** Waits before the next try, longer after each; not at all once closed. */
  pause(attempt: number): Promise<void> {
    return this.#wait(Math.min(this.#options.maxPauseMs, FIRST_PAUSE_MS * 2 ** attempt))
  }

  close(): void {
    this.#closed = true
    for (const end of [...this.#pauses]) end()
    this.#session?.close('the client is done')
  }

  #current(): Promise<RpcSession> {
    if (this.#closed) return Promise.reject(ClientClosed({ address: this.#options.address }))
    const session = this.#session
    if (session !== undefined && !session.lost) return Promise.resolve(session)
    // One attempt at a time, for all who wait.
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #connect(): Promise<RpcSession> {
    const { address, clientName, connectTimeoutMs, reconnectTimeoutMs, maxPauseMs } = this.#options
    const startMs = this.#clock.monotonicMs()
    const timeoutMs = this.#wasOpen ? reconnectTimeoutMs : connectTimeoutMs
    for (let attempt = 0; ; attempt++) {
      try {
        const session = await this.#rpc.connect(address, DISPATCHER_ENDPOINT, {
          name: clientName,
          handlers: () => ({}),
        })
        if (this.#closed) {
          session.close('the client is done')
          throw ClientClosed({ address })
        }
        this.#opened(session)
        return session
      } catch (error) {
        if (this.#closed || !isFlinkError(error) || error.retry === 'no') throw error
        const waitedMs = Math.round(this.#clock.monotonicMs() - startMs)
        const pauseMs = Math.min(maxPauseMs, FIRST_PAUSE_MS * 2 ** attempt)
        if (waitedMs + pauseMs > timeoutMs)
          throw NoJobManager({ address, waitedMs, reason: error.message }, error)
        this.#announceAbsence(error.message)
        this.#logger.debug({ address, attempt, pauseMs, cause: error }, 'No JobManager answers yet')
        await this.#wait(pauseMs)
        if (this.#closed) throw ClientClosed({ address })
      }
    }
  }

  #opened(session: RpcSession): void {
    this.#session = session
    this.#wasOpen = true
    if (this.#lostAtMs !== undefined) {
      const afterMs = Math.round(this.#clock.monotonicMs() - this.#lostAtMs)
      this.#lostAtMs = undefined
      this.#options.onConnection?.({ type: 'restored', afterMs })
    }
    session.onLost(cause => {
      if (this.#closed || this.#session !== session) return
      this.#lostAtMs = this.#clock.monotonicMs()
      const { reconnectTimeoutMs } = this.#options
      this.#options.onConnection?.({ type: 'lost', reason: cause.message, reconnectTimeoutMs })
    })
  }

  #announceAbsence(reason: string): void {
    if (this.#lostAtMs === undefined) return
    const sinceMs = Math.round(this.#clock.monotonicMs() - this.#lostAtMs)
    this.#options.onConnection?.({ type: 'absent', reason, sinceMs })
  }

  #wait(pauseMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise(resolve => {
      const end = (): void => {
        timer.cancel()
        this.#pauses.delete(end)
        resolve()
      }
      const timer = this.#clock.schedule(pauseMs, end)
      this.#pauses.add(end)
    })
  }
}
