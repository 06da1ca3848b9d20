import type { Clock } from '@flink-ts/common'
import type { Envelope } from '../gen/session.ts'
import type { Link, LinkReceiver } from '../session/link.ts'

/** How long what was sent before the close may take to get out. */
const CLOSE_TIMEOUT_MS = 1000

/** What both ends' streams of grpc-js have in common. */
interface EnvelopeStream {
  write(envelope: Envelope): unknown
  end(): unknown
  on(event: 'data', listener: (envelope: Envelope) => void): unknown
  on(event: 'end' | 'cancelled' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error & { readonly details?: string }) => void): unknown
  on(event: 'status', listener: (status: { readonly details: string }) => void): unknown
}

/** A link over one bidirectional gRPC stream, at either end. */
export class GrpcLink implements Link {
  readonly watched = true
  readonly #stream: EnvelopeStream
  readonly #clock: Clock
  readonly #release: () => void
  #receiver: LinkReceiver | undefined
  #state: 'open' | 'closing' | 'ended' = 'open'

  /** @param release frees what belongs to the stream, at once and for good; called once */
  constructor(stream: EnvelopeStream, release: () => void, dependencies: { readonly clock: Clock }) {
    this.#stream = stream
    this.#release = release
    this.#clock = dependencies.clock
    stream.on('data', envelope => {
      if (this.#state === 'open') this.#receiver?.onEnvelope(envelope)
    })
    stream.on('end', () => this.#ended('the peer ended it'))
    stream.on('cancelled', () => this.#ended('it was cancelled'))
    stream.on('close', () => this.#ended('it was closed'))
    stream.on('status', status =>
      this.#ended(status.details === '' ? 'the peer ended it' : plainReason(status.details)),
    )
    stream.on('error', error => this.#ended(plainReason(error.details ?? error.message)))
  }

  listen(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  send(envelope: Envelope): void {
    if (this.#state === 'open') this.#stream.write(envelope)
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#stream.end()
    // A peer that does not read must not keep the connection; ending the stream alone would wait for it.
    this.#clock.schedule(CLOSE_TIMEOUT_MS, () => this.#ended('not closed in time'), { unref: true })
  }

  /** Whether everything is out and freed. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  #ended(reason: string): void {
    if (this.#state === 'ended') return
    const wasOpen = this.#state === 'open'
    this.#state = 'ended'
    this.#release()
    if (wasOpen) this.#receiver?.onBroken(reason)
  }
}

/** What grpc-js says of a connection that was not established, without what is about itself. */
export function plainReason(details: string): string {
  const connect =
    /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*\))?\. Resolution note:/s
  return connect.exec(details)?.[1] ?? details
}
