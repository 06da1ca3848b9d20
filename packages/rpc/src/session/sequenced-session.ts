import {
  type Clock,
  Deferred,
  deserializeError,
  type FlinkError,
  type LeaderSessionId,
  type Logger,
  type SerializedError,
  type Timer,
} from '@flink-ts/common'
import type { GatewayDefinition, RpcHandlers, RpcPeer, RpcSession } from '../endpoint/rpc-session.ts'
import { SessionLost } from '../errors.ts'
import type { Call, Envelope, Reply } from '../gen/session.ts'
import { decodePayload, encodePayload } from '../payload/payload-codec.ts'
import type { SessionSettings } from '../rpc-options.ts'
import { type CallResult, checkSize, encodeOutcome, invoke } from './invocation.ts'
import type { Link } from './link.ts'
import { Liveness } from './liveness.ts'
import { Outbox, type Sequenced } from './outbox.ts'

/** After so many messages, or bytes, without anything to say in return, an acknowledgement is sent of its own. */
const ACK_AFTER_MESSAGES = 64
const ACK_AFTER_BYTES = 1 << 20
const NO_HANDLERS: RpcHandlers = Object.create(null)

/** What a session is made from. */
export interface SessionFacts {
  readonly sessionId: string
  /** Name of the peer with its address, for messages. */
  readonly peerLabel: string
  /** What the peer calls when it says a name: for `rpc.unknown-method`. */
  readonly localName: string
  readonly peer: RpcPeer
  readonly leaderSessionId: LeaderSessionId
}

/** What a session needs. */
export interface SessionDependencies {
  readonly clock: Clock
  readonly logger: Logger
  /** The connecting side dials again here; the other side looks whether the peer lives. */
  readonly onDetached?: (session: SequencedSession) => void
}

/**
 * The session of one side, whatever carries it: numbers what it sends, keeps it until it is acknowledged, delivers
 * what it receives in order and once, watches the link for silence, and ends when the link stays away for too long.
 * Owner of all its state: the main thread. Every public method may be called at any time, also after the end.
 */
export class SequencedSession implements RpcSession {
  readonly sessionId: string
  readonly peer: RpcPeer
  readonly leaderSessionId: LeaderSessionId
  /** Answers the peer's calls; set before the first link is attached. */
  handlers: RpcHandlers = NO_HANDLERS
  readonly #facts: SessionFacts
  readonly #settings: SessionSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onDetached: ((session: SequencedSession) => void) | undefined
  readonly #outbox = new Outbox()
  readonly #openCalls = new Map<number, { readonly method: string; readonly answer: Deferred<unknown> }>()
  readonly #listeners: ((cause: FlinkError) => void)[] = []
  #link: Link | undefined
  #lostBecause: FlinkError | undefined
  #received = 0
  #acknowledged = 0
  #unacknowledgedBytes = 0
  #sentSinceTick = false
  #liveness: Liveness | undefined
  #probeTimer: Timer | undefined
  #resumeTimer: Timer | undefined

  constructor(facts: SessionFacts, settings: SessionSettings, dependencies: SessionDependencies) {
    this.sessionId = facts.sessionId
    this.peer = facts.peer
    this.leaderSessionId = facts.leaderSessionId
    this.#facts = facts
    this.#settings = settings
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
    this.#onDetached = dependencies.onDetached
  }

  get lost(): boolean {
    return this.#lostBecause !== undefined
  }

  /** Whether there is a connection now. */
  get attached(): boolean {
    return this.#link !== undefined
  }

  /** Why the session ended; undefined while it lives. */
  get lostBecause(): FlinkError | undefined {
    return this.#lostBecause
  }

  /** Sequence number of the last message received: what the peer need not send again. */
  get received(): number {
    return this.#received
  }

  gateway<G extends object>(definition: GatewayDefinition<G>): G {
    const methods = definition.methods.map(name => [name, (...args: unknown[]) => this.#call(name, args)])
    return Object.fromEntries(methods) as G
  }

  onLost(listener: (cause: FlinkError) => void): void {
    if (this.#lostBecause === undefined) this.#listeners.push(listener)
    else this.#tell(listener, this.#lostBecause)
  }

  close(reason: string): void {
    this.#end(SessionLost({ peer: this.#facts.peerLabel, reason: `closed here: ${reason}` }), reason)
  }

  /**
   * Goes on over `link`, whose other end has received everything up to `peerReceived`: sends the rest again. An older
   * link is closed.
   */
  attach(link: Link, peerReceived: number): void {
    if (this.lost) {
      link.close()
      return
    }
    const old = this.#link
    this.#link = link
    old?.close()
    this.#resumeTimer?.cancel()
    this.#resumeTimer = undefined
    if (!this.#outbox.acknowledge(peerReceived)) {
      this.#lose(`the peer acknowledges message ${peerReceived}, which was never sent`)
      return
    }
    this.#watch(link)
    for (const body of this.#outbox.waiting()) this.#transmit(body)
  }

  /** Something arrived over `link`; ignored if that is not the current one. */
  receive(link: Link, envelope: Envelope): void {
    if (link !== this.#link || this.lost) return
    this.#liveness?.traffic(this.#clock.monotonicMs())
    if (!this.#outbox.acknowledge(envelope.ack)) {
      this.#lose(`the peer acknowledges message ${envelope.ack}, which was never sent`)
      return
    }
    const body = envelope.body
    switch (body?.case) {
      case 'call':
        if (this.#isNext(body.value.sequence, body.value.arguments.length)) this.#serve(body.value)
        break
      case 'reply':
        if (this.#isNext(body.value.sequence, body.value.outcome?.value.length ?? 0)) this.#settle(body.value)
        break
      case 'close':
        this.#end(
          SessionLost({
            peer: this.#facts.peerLabel,
            reason: `closed by it: ${body.value.reason}`,
            closedByPeer: true,
          }),
          undefined,
        )
        break
      default:
    }
  }

  /** `link` broke. The session lives on for `sessionResumeTimeoutMs`. */
  detach(link: Link, reason: string): void {
    if (link !== this.#link || this.lost) return
    this.#link = undefined
    this.#unwatch()
    this.#logger.debug({ peer: this.#facts.peerLabel, reason }, 'Connection of a session broke')
    this.#resumeTimer = this.#clock.schedule(this.#settings.sessionResumeTimeoutMs, () => {
      this.#lose(
        `its connection broke (${reason}) and did not come back within ${this.#settings.sessionResumeTimeoutMs} ms`,
      )
    })
    this.#onDetached?.(this)
  }

  /** Ends the session without a word to the peer, which knows or cannot hear. */
  abandon(reason: string): void {
    this.#end(SessionLost({ peer: this.#facts.peerLabel, reason }), undefined)
  }

  #call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#lostBecause !== undefined) return Promise.reject(this.#lostDuring(method, this.#lostBecause))
    const answer = new Deferred<unknown>()
    try {
      const bytes = encodePayload(args, `${method} arguments`)
      checkSize(method, bytes, this.#settings.maxMessageBytes)
      const sequence = this.#outbox.nextSequence()
      this.#openCalls.set(sequence, { method, answer })
      this.#sendSequenced({ case: 'call', value: { sequence, method, arguments: bytes } }, bytes.length)
    } catch (error) {
      answer.reject(error)
    }
    return answer.promise
  }

  #serve(call: Call): void {
    let outcome: unknown
    try {
      outcome = invoke(this.handlers, call, this.#facts.localName)
    } catch (error) {
      this.#reply(call, { error })
      return
    }
    // Both branches end in #reply, which does not throw.
    void Promise.resolve(outcome).then(
      value => this.#reply(call, { value }),
      (error: unknown) => this.#reply(call, { error }),
    )
  }

  #reply(call: Call, result: CallResult): void {
    if (this.lost) return
    const outcome = encodeOutcome(call.method, result, this.#settings.maxMessageBytes)
    const sequence = this.#outbox.nextSequence()
    this.#sendSequenced(
      { case: 'reply', value: { sequence, call: call.sequence, outcome } },
      outcome.value.length,
    )
  }

  #settle(reply: Reply): void {
    const open = this.#openCalls.get(reply.call)
    if (open === undefined) return
    this.#openCalls.delete(reply.call)
    const outcome = reply.outcome
    try {
      const content = outcome === undefined ? undefined : decodePayload(outcome.value)
      if (outcome?.case === 'error') open.answer.reject(deserializeError(content as SerializedError))
      else open.answer.resolve(content)
    } catch (error) {
      open.answer.reject(error)
    }
  }

  /** Counts a message in. False: received before, or one is missing in between, and the link is given up for that. */
  #isNext(sequence: number, sizeBytes: number): boolean {
    if (sequence <= this.#received) return false
    if (sequence !== this.#received + 1) {
      const link = this.#link as Link
      link.close()
      this.detach(link, `message ${this.#received + 1} is missing before ${sequence}`)
      return false
    }
    this.#received = sequence
    this.#unacknowledgedBytes += sizeBytes
    if (
      this.#received - this.#acknowledged >= ACK_AFTER_MESSAGES ||
      this.#unacknowledgedBytes >= ACK_AFTER_BYTES
    ) {
      this.#transmit({ case: 'probe', value: {} })
    }
    return true
  }

  #sendSequenced(body: Sequenced, sizeBytes: number): void {
    this.#outbox.add(body, sizeBytes)
    if (this.#outbox.sizeBytes > this.#settings.maxUnacknowledgedBytes) {
      this.#lose(`it does not keep up: ${this.#outbox.sizeBytes} bytes wait to be acknowledged`)
      return
    }
    this.#transmit(body)
  }

  #transmit(body: NonNullable<Envelope['body']>): void {
    if (this.#link === undefined) return
    this.#acknowledged = this.#received
    this.#unacknowledgedBytes = 0
    this.#sentSinceTick = true
    this.#link.send({ ack: this.#received, body })
  }

  #watch(link: Link): void {
    this.#unwatch()
    const { heartbeatIntervalMs, heartbeatTimeoutMs } = this.#settings
    if (link.watched) this.#liveness = new Liveness(heartbeatTimeoutMs, this.#clock.monotonicMs())
    this.#probeTimer = this.#clock.scheduleEvery(heartbeatIntervalMs, () => this.#tick(), { unref: true })
  }

  #unwatch(): void {
    this.#probeTimer?.cancel()
    this.#probeTimer = undefined
    this.#liveness = undefined
  }

  #tick(): void {
    const liveness = this.#liveness
    const nowMs = this.#clock.monotonicMs()
    const decision = liveness?.tick(nowMs) ?? 'nothing'
    if (liveness !== undefined && decision === 'peer-silent') {
      this.#lose(`nothing was heard from it for ${Math.round(liveness.silentForMs(nowMs))} ms`)
      return
    }
    if (decision === 'we-slept') {
      this.#logger.warn(
        { peer: this.#facts.peerLabel },
        'This process stood still; its peers get a fresh grace period',
      )
    }
    const owesAcknowledgement = this.#acknowledged < this.#received
    if (owesAcknowledgement || (liveness !== undefined && !this.#sentSinceTick)) {
      this.#transmit({ case: 'probe', value: {} })
    }
    this.#sentSinceTick = false
  }

  /** The peer is told, in case that it can hear: a frozen process reads it when it thaws. */
  #lose(reason: string): void {
    this.#end(SessionLost({ peer: this.#facts.peerLabel, reason }), `given up by its peer: ${reason}`)
  }

  #end(cause: FlinkError, tellPeer: string | undefined): void {
    if (this.#lostBecause !== undefined) return
    this.#lostBecause = cause
    this.#unwatch()
    this.#resumeTimer?.cancel()
    const link = this.#link
    this.#link = undefined
    if (tellPeer !== undefined)
      link?.send({ ack: this.#received, body: { case: 'close', value: { reason: tellPeer } } })
    link?.close()
    const openCalls = [...this.#openCalls.values()]
    this.#openCalls.clear()
    for (const { method, answer } of openCalls) answer.reject(this.#lostDuring(method, cause))
    for (const listener of this.#listeners.splice(0)) this.#tell(listener, cause)
  }

  #lostDuring(method: string, cause: FlinkError): FlinkError {
    return SessionLost(
      { peer: this.#facts.peerLabel, reason: String(cause.data['reason']), call: method },
      cause,
    )
  }

  #tell(listener: (cause: FlinkError) => void, cause: FlinkError): void {
    try {
      listener(cause)
    } catch (error) {
      this.#logger.error(
        { error, peer: this.#facts.peerLabel },
        'A listener for the loss of a session failed',
      )
    }
  }
}
