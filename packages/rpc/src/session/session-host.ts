import {
  type Clock,
  type FlinkError,
  isFlinkError,
  type Logger,
  type ResourceId,
  serializeError,
  type Timer,
} from '@flink-ts/common'
import type { RpcEndpoint } from '../endpoint/rpc-session.ts'
import { EndpointExists, EndpointNotFound, SessionLost, SessionUnknown } from '../errors.ts'
import type { Envelope, Hello } from '../gen/session.ts'
import type { SessionSettings } from '../rpc-options.ts'
import type { Link } from './link.ts'
import type { PeerProbe } from './peer-probe.ts'
import { SequencedSession } from './sequenced-session.ts'
import { versionMismatch } from './version-check.ts'

/** What both the accepting and the connecting part of a process are told. */
export interface LocalProcess {
  /** Where peers reach this process. */
  readonly address: () => string
  readonly resourceId: ResourceId
  readonly version: string
  readonly settings: SessionSettings
  /** `host:port` that takes TCP connections for as long as this process lives; undefined: none (yet). */
  readonly probeAddress?: () => string | undefined
}

/** Pause between looks at a peer whose connection broke. A process that is just being killed may still listen. */
const PROBE_INTERVAL_MS = 25

/** The accepting side: endpoints of this process and the sessions that others opened to them. Owner: the main thread. */
export class SessionHost {
  readonly #process: LocalProcess
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #probe: PeerProbe | undefined
  readonly #endpoints = new Map<string, RpcEndpoint>()
  readonly #sessions = new Map<
    string,
    { readonly endpointName: string; readonly session: SequencedSession }
  >()

  constructor(
    process: LocalProcess,
    dependencies: { readonly clock: Clock; readonly logger: Logger; readonly probe?: PeerProbe },
  ) {
    this.#process = process
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
    this.#probe = dependencies.probe
  }

  /** Throws `rpc.endpoint-exists`. */
  serve(endpoint: RpcEndpoint): void {
    if (this.#endpoints.has(endpoint.endpointName)) throw EndpointExists({ endpoint: endpoint.endpointName })
    this.#endpoints.set(endpoint.endpointName, endpoint)
  }

  withdraw(endpointName: string): void {
    this.#endpoints.delete(endpointName)
    for (const entry of [...this.#sessions.values()]) {
      if (entry.endpointName === endpointName) entry.session.close(`${endpointName} was withdrawn`)
    }
  }

  /** Ends everything; peers learn the reason. */
  close(reason: string): void {
    this.#endpoints.clear()
    for (const { session } of [...this.#sessions.values()]) session.close(reason)
  }

  /** Ends everything without a word, as if the process had died. */
  abandon(reason: string): void {
    this.#endpoints.clear()
    for (const { session } of [...this.#sessions.values()]) session.abandon(reason)
  }

  /** Takes a link that a peer opened: its first envelope says what it is for. */
  accept(link: Link): void {
    let session: SequencedSession | undefined
    const timeoutMs = this.#process.settings.connectTimeoutMs
    const timer: Timer = this.#clock.schedule(timeoutMs, () => link.close(), { unref: true })
    link.listen({
      onEnvelope: envelope => {
        if (session !== undefined) {
          session.receive(link, envelope)
          return
        }
        timer.cancel()
        session = this.#greet(link, envelope)
      },
      onBroken: reason => {
        timer.cancel()
        session?.detach(link, reason)
      },
    })
  }

  #greet(link: Link, envelope: Envelope): SequencedSession | undefined {
    if (envelope.body?.case !== 'hello') {
      link.close()
      return undefined
    }
    const hello = envelope.body.value
    try {
      const mismatch = versionMismatch(hello, this.#process.version)
      if (mismatch !== undefined) throw mismatch
      return hello.resume ? this.#resume(link, hello, envelope.ack) : this.#open(link, hello)
    } catch (error) {
      this.#refuse(link, hello, error)
      return undefined
    }
  }

  #open(link: Link, hello: Hello): SequencedSession {
    const endpoint = this.#endpoints.get(hello.endpointName)
    if (endpoint === undefined) {
      throw EndpointNotFound({ address: this.#process.address(), endpoint: hello.endpointName })
    }
    const session = new SequencedSession(
      {
        sessionId: hello.sessionId,
        peerLabel: `${hello.peerName} (${hello.resourceId})`,
        localName: hello.endpointName,
        peer: {
          name: hello.peerName,
          resourceId: hello.resourceId as ResourceId,
          version: hello.productVersion,
        },
        leaderSessionId: endpoint.leaderSessionId,
      },
      this.#process.settings,
      {
        clock: this.#clock,
        logger: this.#logger,
        // Never rejects.
        onDetached: detached => void this.#look(detached, hello.probeAddress),
      },
    )
    this.#sessions.set(hello.sessionId, { endpointName: hello.endpointName, session })
    session.onLost(() => this.#sessions.delete(hello.sessionId))
    try {
      session.handlers = endpoint.acceptSession(session)
    } catch (error) {
      session.abandon('refused')
      throw error
    }
    if (session.lostBecause !== undefined) throw session.lostBecause
    this.#welcome(link, session)
    session.attach(link, 0)
    return session
  }

  /** Ends a session without its connection as soon as the peer's process is known to be gone. */
  async #look(session: SequencedSession, probeAddress: string): Promise<void> {
    if (this.#probe === undefined || probeAddress === '') return
    const answer = await this.#probe(probeAddress)
    if (session.attached || session.lost) return
    if (answer === 'refused') {
      session.abandon(`its process is gone: its connection broke and nothing listens at ${probeAddress}`)
      return
    }
    // Never rejects; the session's own time limit ends it.
    this.#clock.schedule(PROBE_INTERVAL_MS, () => void this.#look(session, probeAddress), { unref: true })
  }

  #resume(link: Link, hello: Hello, peerReceived: number): SequencedSession {
    const session = this.#sessions.get(hello.sessionId)?.session
    if (session === undefined) throw SessionUnknown({ sessionId: hello.sessionId })
    this.#welcome(link, session)
    session.attach(link, peerReceived)
    return session
  }

  #welcome(link: Link, session: SequencedSession): void {
    const { resourceId, version } = this.#process
    link.send({
      ack: session.received,
      body: {
        case: 'welcome',
        value: { leaderSessionId: session.leaderSessionId, resourceId, productVersion: version },
      },
    })
  }

  #refuse(link: Link, hello: Hello, error: unknown): void {
    const known: FlinkError = isFlinkError(error)
      ? error
      : SessionLost({ peer: hello.endpointName, reason: 'it refused the session' }, error)
    this.#logger.debug(
      { error: known, peer: hello.peerName, endpoint: hello.endpointName },
      'Refused a session',
    )
    link.send({ ack: 0, body: { case: 'refusal', value: { error: JSON.stringify(serializeError(known)) } } })
    link.close()
  }
}
