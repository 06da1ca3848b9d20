import type { Envelope } from '../gen/session.ts'

/** What a link tells its owner. */
export interface LinkReceiver {
  onEnvelope(envelope: Envelope): void
  /** Called once, unless the link was closed here before; nothing is received after it. */
  onBroken(reason: string): void
}

/**
 * One connection: carries envelopes in both directions, in order, until it breaks. A break may lose any number of the
 * last ones. Sessions live on a sequence of links.
 */
export interface Link {
  /** False: both ends are in one process and fail together, so silence is not watched. */
  readonly watched: boolean
  /** Sets the receiver, before anything can have arrived: in the turn of the event loop that made the link. */
  listen(receiver: LinkReceiver): void
  /** Queues; never throws. No effect once the link is broken or closed. */
  send(envelope: Envelope): void
  /** Ends the link after what was sent is out, within about a second. Idempotent; the receiver hears nothing more. */
  close(): void
}

/** Opens links. */
export interface Dialer {
  /** Failure to connect is reported as a break. */
  dial(address: string): Link
}
