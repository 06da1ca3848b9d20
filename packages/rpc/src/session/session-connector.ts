import {
  type Clock,
  Deferred,
  deserializeError,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  type ResourceId,
  type SerializedError,
  type Timer,
} from '@flink-ts/common'
import type { RpcHandlers, RpcSession } from '../endpoint/rpc-session.ts'
import { ConnectionRefused, ServiceNotRunning, SessionLost } from '../errors.ts'
import type { Envelope, Hello, Welcome } from '../gen/session.ts'
import type { Dialer, Link } from './link.ts'
import { PROTOCOL_VERSION } from './protocol-version.ts'
import { SequencedSession } from './sequenced-session.ts'
import type { LocalProcess } from './session-host.ts'

const FIRST_BACKOFF_MS = 20
const MAX_BACKOFF_MS = 1000

/** Who connects, and what the peer may call here. */
export interface LocalSide {
  readonly name: string
  readonly handlers: (session: RpcSession) => RpcHandlers
}

/** The connecting side: opens sessions and, when their connection breaks, dials again. Owner: the main thread. */
export class SessionConnector {
  readonly #process: LocalProcess
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  /** With the link over which a session is being resumed just now. */
  readonly #sessions = new Map<SequencedSession, Link | undefined>()
  readonly #opening = new Set<(reason: string) => void>()
  #closed = false

  constructor(
    process: LocalProcess,
    dependencies: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  ) {
    this.#process = process
    this.#clock = dependencies.clock
    this.#random = dependencies.random
    this.#logger = dependencies.logger
  }

  /** See {@link RpcService.connect}. */
  connect(dialer: Dialer, address: string, endpointName: string, local: LocalSide): Promise<RpcSession> {
    if (this.#closed) return Promise.reject(ServiceNotRunning({ address: this.#process.address() }))
    const { settings, resourceId, version } = this.#process
    const hello: Hello = {
      protocolVersion: PROTOCOL_VERSION,
      productVersion: version,
      sessionId: newId<string>(this.#random),
      resume: false,
      endpointName,
      peerName: local.name,
      resourceId,
      probeAddress: this.#process.probeAddress?.() ?? '',
    }
    const opened = new Deferred<RpcSession>()
    let session: SequencedSession | undefined
    const link = dialer.dial(address)
    const fail = (error: unknown): void => {
      timer.cancel()
      this.#opening.delete(giveUp)
      link.close()
      if (!opened.settled) opened.reject(error)
    }
    const giveUp = (reason: string): void =>
      fail(ConnectionRefused({ address, endpoint: endpointName, reason }))
    const timer: Timer = this.#clock.schedule(settings.connectTimeoutMs, () =>
      giveUp(`no answer within ${settings.connectTimeoutMs} ms`),
    )
    this.#opening.add(giveUp)
    link.listen({
      onEnvelope: envelope => {
        if (session !== undefined) session.receive(link, envelope)
        else if (opened.settled) link.close()
        else if (envelope.body?.case === 'refusal') fail(refusedBecause(envelope.body.value.error))
        else if (envelope.body?.case !== 'welcome') giveUp('the answer is not one of this protocol')
        else {
          timer.cancel()
          this.#opening.delete(giveUp)
          session = this.#session(dialer, address, hello, envelope.body.value)
          try {
            session.handlers = local.handlers(session)
            session.attach(link, envelope.ack)
            opened.resolve(session)
          } catch (error) {
            // It has no link yet, so that the peer learns by the end of this one.
            session.abandon('the connecting side failed to set it up')
            fail(error)
          }
        }
      },
      onBroken: reason => {
        if (session === undefined) giveUp(reason)
        else session.detach(link, reason)
      },
    })
    link.send({ ack: 0, body: { case: 'hello', value: hello } })
    return opened.promise
  }

  /** Ends everything; peers learn the reason. */
  close(reason: string): void {
    this.#closed = true
    for (const giveUp of [...this.#opening]) giveUp(reason)
    for (const session of [...this.#sessions.keys()]) session.close(reason)
  }

  /** Ends everything without a word, as if the process had died. */
  abandon(reason: string): void {
    this.#closed = true
    for (const giveUp of [...this.#opening]) giveUp(reason)
    for (const session of [...this.#sessions.keys()]) session.abandon(reason)
  }

  #session(dialer: Dialer, address: string, hello: Hello, welcome: Welcome): SequencedSession {
    const session = new SequencedSession(
      {
        sessionId: hello.sessionId,
        peerLabel: `${hello.endpointName} at ${address}`,
        localName: hello.peerName,
        peer: {
          name: hello.endpointName,
          resourceId: welcome.resourceId as ResourceId,
          version: welcome.productVersion,
        },
        leaderSessionId: welcome.leaderSessionId as LeaderSessionId,
      },
      this.#process.settings,
      {
        clock: this.#clock,
        logger: this.#logger,
        onDetached: detached => this.#redial(detached, dialer, address, hello, 0),
      },
    )
    this.#sessions.set(session, undefined)
    session.onLost(() => {
      this.#sessions.get(session)?.close()
      this.#sessions.delete(session)
    })
    return session
  }

  /** One try to go on; each failure schedules the next, until the session gives itself up. */
  #redial(session: SequencedSession, dialer: Dialer, address: string, hello: Hello, attempt: number): void {
    if (session.lost) return
    const link = dialer.dial(address)
    let resumed = false
    this.#sessions.set(session, link)
    link.listen({
      onEnvelope: envelope => {
        if (resumed) {
          session.receive(link, envelope)
          return
        }
        resumed = this.#resumed(session, link, envelope)
      },
      onBroken: reason => {
        if (resumed) {
          session.detach(link, reason)
          return
        }
        const delayMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
        this.#logger.debug({ address, attempt, delayMs, reason }, 'Could not resume a session yet')
        this.#clock.schedule(delayMs, () => this.#redial(session, dialer, address, hello, attempt + 1))
      },
    })
    link.send({ ack: session.received, body: { case: 'hello', value: { ...hello, resume: true } } })
  }

  #resumed(session: SequencedSession, link: Link, envelope: Envelope): boolean {
    const body = envelope.body
    if (body?.case === 'welcome') {
      session.attach(link, envelope.ack)
      return true
    }
    link.close()
    session.abandon(
      body?.case === 'refusal'
        ? refusedBecause(body.value.error).message
        : 'the answer is not one of this protocol',
    )
    return false
  }
}

function refusedBecause(json: string): Error {
  try {
    return deserializeError(JSON.parse(json) as SerializedError)
  } catch (error) {
    return SessionLost(
      { peer: 'the answering process', reason: `it refused with the unreadable '${json}'` },
      error,
    )
  }
}
