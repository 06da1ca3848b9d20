/**
 * Handles one event after the other: what an action causes at once waits for the other actions of the same event.
 * Owner: JobMaster main thread.
 */
export class EventQueue {
  readonly #waiting: (() => void)[] = []
  #draining = false

  /** Does the work now, or after what is being done. */
  add(work: () => void): void {
    this.#waiting.push(work)
    if (this.#draining) return
    this.#draining = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
    } finally {
      this.#draining = false
    }
  }
}
