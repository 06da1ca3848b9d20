import type { Envelope } from '../gen/session.ts'
import type { Link, LinkReceiver } from '../session/link.ts'

/** Runs `deliver` later: never in the same turn. Need not keep order; the link does. */
export type Post = (deliver: () => void) => void

/** One end of a link inside a process. Envelopes arrive in order, each in a turn of its own. */
export class MemoryLink implements Link {
  readonly watched: boolean
  readonly #post: Post
  readonly #inbox: (Envelope | { readonly broken: string })[] = []
  #other: MemoryLink | undefined
  #receiver: LinkReceiver | undefined
  #ended = false

  constructor(options: { readonly watched: boolean; readonly post: Post }) {
    this.watched = options.watched
    this.#post = options.post
  }

  /** Joins two ends. */
  static join(a: MemoryLink, b: MemoryLink): void {
    a.#other = b
    b.#other = a
  }

  get ended(): boolean {
    return this.#ended
  }

  listen(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  send(envelope: Envelope): void {
    if (!this.#ended) this.#other?.arrive(envelope)
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#other?.arrive({ broken: 'closed by the peer' })
  }

  /** The link is cut, at this end: what is on its way is lost, and the owner hears of it. */
  break(reason: string): void {
    this.#inbox.length = 0
    if (!this.#ended) this.arrive({ broken: reason })
  }

  /** For the other end only. */
  arrive(item: Envelope | { readonly broken: string }): void {
    this.#inbox.push(item)
    // Each turn takes what is oldest, whatever the order in which the turns come.
    this.#post(() => {
      const oldest = this.#inbox.shift()
      if (oldest === undefined || this.#ended) return
      if (!('broken' in oldest)) {
        this.#receiver?.onEnvelope(oldest)
        return
      }
      this.#ended = true
      this.#receiver?.onBroken(oldest.broken)
    })
  }
}
