/** What to do at a tick of the clock. */
export type LivenessDecision = 'nothing' | 'we-slept' | 'peer-silent'

/**
 * Decides whether a peer fell silent. Pure but for its three instants; asked once every heartbeat interval. A process
 * that itself stood still (stopped in a debugger, machine asleep, event loop blocked) has no right to blame the peer
 * for it: it sees that its own ticks were too far apart, and the peer gets the whole timeout again.
 */
export class Liveness {
  readonly #timeoutMs: number
  #lastTickMs: number
  #lastTrafficMs: number

  constructor(timeoutMs: number, nowMs: number) {
    this.#timeoutMs = timeoutMs
    this.#lastTickMs = nowMs
    this.#lastTrafficMs = nowMs
  }

  /** Anything was received. */
  traffic(nowMs: number): void {
    this.#lastTrafficMs = nowMs
  }

  /** Milliseconds since something was received. */
  silentForMs(nowMs: number): number {
    return nowMs - this.#lastTrafficMs
  }

  tick(nowMs: number): LivenessDecision {
    const gapMs = nowMs - this.#lastTickMs
    this.#lastTickMs = nowMs
    if (gapMs > this.#timeoutMs / 2) {
      this.#lastTrafficMs = nowMs
      return 'we-slept'
    }
    return this.silentForMs(nowMs) > this.#timeoutMs ? 'peer-silent' : 'nothing'
  }
}
