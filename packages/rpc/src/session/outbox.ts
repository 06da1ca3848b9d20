import type { Call, Reply } from '../gen/session.ts'

/** A message that has a place in the sequence. */
export type Sequenced = { case: 'call'; value: Call } | { case: 'reply'; value: Reply }

/** Messages that were sent and are not acknowledged yet, in order: what a resumed connection sends again. */
export class Outbox {
  #messages: { readonly body: Sequenced; readonly sizeBytes: number }[] = []
  #head = 0
  #sizeBytes = 0
  #last = 0
  #acknowledged = 0

  /** Bytes of payload that wait. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The sequence number of the next message. */
  nextSequence(): number {
    return ++this.#last
  }

  /** @param body with the number that {@link nextSequence} gave last */
  add(body: Sequenced, sizeBytes: number): void {
    this.#messages.push({ body, sizeBytes })
    this.#sizeBytes += sizeBytes
  }

  /** Forgets everything up to `sequence`. False: the peer claims what cannot be. */
  acknowledge(sequence: number): boolean {
    if (sequence > this.#last) return false
    for (; this.#acknowledged < sequence; this.#acknowledged++) {
      this.#sizeBytes -= this.#messages[this.#head++]?.sizeBytes ?? 0
    }
    if (this.#head > 1024 || this.#head === this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head)
      this.#head = 0
    }
    return true
  }

  /** What waits, in order. */
  *waiting(): Iterable<Sequenced> {
    for (let i = this.#head; i < this.#messages.length; i++)
      yield (this.#messages[i] as { body: Sequenced }).body
  }
}
