import { Worker } from 'node:worker_threads'
import { Deferred, deserializeError, type SerializedError, serializeError } from '@flink-ts/common'
import type { ChannelEnds } from '../channel/channel.ts'
import { NetworkThreadLost } from '../errors.ts'
import { Doorbell } from '../ring/doorbell.ts'
import type { Heartbeat } from './liveness.ts'
import type { NetworkCommand, NetworkReport, NetworkThreadData } from './thread-messages.ts'

const YOUNG_GENERATION_MB = 2

export interface NetworkThreadClientOptions {
  /** Module of the network thread; by default the one beside this file, as source or compiled. */
  readonly entryUrl?: URL
  /** Node's options of the thread; by default those of this thread. */
  readonly execArgv?: readonly string[]
  /** How long a consumer may wait for the producer to register a channel; 30 s. */
  readonly openTimeoutMs?: number
  /** 500 ms and 5 s by default. */
  readonly heartbeat?: Heartbeat
  /** What those who connect must show, and what this process shows; undefined: nothing. */
  readonly authToken?: string | undefined
}

/**
 * The process's network thread, as its main thread sees it: commands only, no data. Ring ends that the network thread
 * serves use {@link NetworkThreadClient.bell} on its side: as `consumerBell` of outbound channels, as `producerBell` of
 * inbound ones. Owned by the main thread.
 */
export class NetworkThreadClient {
  readonly bell: SharedArrayBuffer = Doorbell.allocate()
  readonly #options: NetworkThreadClientOptions
  readonly #started = new Deferred<{ port: number }>()
  readonly #ended = new Deferred<void>()
  /** Neither failed nor released. */
  readonly #channels = new Set<string>()
  #worker: Worker | undefined
  #listener: (channelId: string, error: SerializedError) => void = () => {}
  #lostListener: (error: Error) => void = () => {}
  #closing = false
  #lost: Error | undefined

  constructor(options: NetworkThreadClientOptions = {}) {
    this.#options = options
  }

  /**
   * Starts the thread; resolves when it accepts connections. Once only.
   * @param options.bindHost loopback by default
   * @param options.port 0, any, by default
   * @throws network.bind-failed
   */
  start(options: { readonly bindHost?: string; readonly port?: number } = {}): Promise<{ port: number }> {
    const data: NetworkThreadData = {
      bell: this.bell,
      bindHost: options.bindHost ?? '127.0.0.1',
      port: options.port ?? 0,
      openTimeoutMs: this.#options.openTimeoutMs ?? 30_000,
      heartbeat: this.#options.heartbeat ?? { intervalMs: 500, timeoutMs: 5000 },
      authToken: this.#options.authToken,
    }
    const execArgv = this.#options.execArgv
    const worker = new Worker(this.#options.entryUrl ?? defaultEntryUrl(), {
      workerData: data,
      name: 'network',
      // Its buffers are outside the heap, and it makes little garbage in it.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    })
    this.#worker = worker
    worker.on('message', (report: NetworkReport) => this.#onReport(report))
    worker.on('error', error => this.#onEnd(NetworkThreadLost({ reason: String(error) }, error)))
    worker.on('exit', code => this.#onEnd(NetworkThreadLost({ reason: `it exited with code ${code}` })))
    return this.#started.promise
  }

  /** The thread itself, to be looked at; undefined: it was not started. */
  get worker(): Worker | undefined {
    return this.#worker
  }

  /** At most one listener. Called once for each channel that fails, never for released ones, never after close. */
  onChannelFailed(listener: (channelId: string, error: SerializedError) => void): void {
    this.#listener = listener
  }

  /**
   * At most one listener. Called once if the thread ends by itself after it was started, behind the failures of its
   * channels: no channel can be opened any more.
   */
  onLost(listener: (error: Error) => void): void {
    this.#lostListener = listener
  }

  /** This process produces the channel: it writes to `ends.ring`, whose `consumerBell` is {@link NetworkThreadClient.bell}. */
  openOutbound(ends: ChannelEnds): void {
    this.#open(ends.channelId, { type: 'open-outbound', ends: plainEnds(ends) })
  }

  /**
   * This process consumes the channel from the TaskManager at `remoteAddress` (`host:port`): it reads from `ends.ring`,
   * whose `producerBell` is {@link NetworkThreadClient.bell}. The producer may register the channel later.
   */
  openInbound(ends: ChannelEnds, remoteAddress: string): void {
    this.#open(ends.channelId, { type: 'open-inbound', ends: plainEnds(ends), remoteAddress })
  }

  /**
   * Forgets channels of either direction; unknown ones are ignored. Without `drain` what is still in an outbound ring is
   * not sent any more: use `drain` when the producing task has finished, not when it failed or was cancelled.
   */
  release(channelIds: readonly string[], options: { readonly drain?: boolean } = {}): void {
    for (const channelId of channelIds) this.#channels.delete(channelId)
    this.#send({ type: 'release', channelIds, drain: options.drain === true })
  }

  /** Ends all connections and the thread. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true
    this.#channels.clear()
    if (this.#worker === undefined || this.#lost !== undefined) return
    this.#send({ type: 'close' })
    await this.#ended.promise
  }

  #open(channelId: string, command: NetworkCommand): void {
    this.#channels.add(channelId)
    if (this.#lost === undefined) this.#send(command)
    // Not from inside the call: the caller is not prepared for it.
    else queueMicrotask(() => this.#fail(channelId, serializeError(this.#lost)))
  }

  #send(command: NetworkCommand): void {
    if (this.#worker === undefined) throw new Error('the network thread was not started')
    this.#worker.postMessage(command)
  }

  #onReport(report: NetworkReport): void {
    switch (report.type) {
      case 'started':
        this.#started.resolve({ port: report.port })
        return
      case 'start-failed':
        this.#started.reject(deserializeError(report.error))
        return
      case 'channel-failed':
        this.#fail(report.channelId, report.error)
        return
      case 'closed':
        return
    }
  }

  #onEnd(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#ended.resolve()
    this.#started.reject(error)
    // Whoever awaits start sees it; nobody else needs to.
    this.#started.promise.catch(() => {})
    const plain = serializeError(error)
    for (const channelId of [...this.#channels]) this.#fail(channelId, plain)
    if (!this.#closing) this.#lostListener(error)
  }

  #fail(channelId: string, error: SerializedError): void {
    // Released meanwhile: the report crossed the command.
    if (this.#closing || !this.#channels.delete(channelId)) return
    this.#listener(channelId, error)
  }
}

function defaultEntryUrl(): URL {
  // Compiled files and sources lie alike, but for the extension; of the bundle (tools/bundle-runtime.mjs) only the last
  // folder's name is the same.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../transport/network-thread.${extension}`, import.meta.url)
}

/** Only what may be posted, whatever else the caller's object has. */
function plainEnds({ channelId, ring, producerBell, consumerBell }: ChannelEnds): ChannelEnds {
  return { channelId, ring, producerBell, consumerBell }
}
