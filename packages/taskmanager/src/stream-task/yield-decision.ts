/** Calls between two looks at the clock and the outputs. */
const CHECK_CALLS = 16

/** Whether a long piece of work (timers) should stop for now; looks only now and then, as looking costs. Owner: the task. */
export class YieldDecision {
  readonly #mustYield: () => boolean
  #calls = 0
  #yielded = false

  /** @param mustYield the slice is over, or the outputs are full */
  constructor(mustYield: () => boolean) {
    this.#mustYield = mustYield
  }

  /** Whether the answer was yes since {@link YieldDecision.restart}. */
  get yielded(): boolean {
    return this.#yielded
  }

  /** A new step begins. */
  restart(): void {
    this.#calls = 0
    this.#yielded = false
  }

  ask(): boolean {
    if (++this.#calls < CHECK_CALLS) return false
    const yields = this.#mustYield()
    // Asked again it must not say no before anything changed.
    this.#calls = yields ? CHECK_CALLS : 0
    this.#yielded ||= yields
    return yields
  }
}
