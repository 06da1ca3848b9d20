/** What must always hold; the words name it in reports. See docs/guide/simulation.md. */
export type Invariant =
  /** A record changed state twice, in one line of attempts and restores. */
  | 'applied-twice'
  /** A record is not in the state that everything after it is in. */
  | 'record-lost'
  /** The output has a record twice. */
  | 'output-twice'
  /** A job has finished, and its output lacks a record. */
  | 'output-lost'
  /** A checkpoint that was announced as complete is not there when it is needed, or was passed over. */
  | 'checkpoint-lost'
  /** A checkpoint was made durable without the state of some subtask, or twice. */
  | 'checkpoint-invalid'
  /** A job neither ends nor makes progress. */
  | 'no-progress'
  /** A job failed for good although everything could be tried again. */
  | 'job-failed'
  /** Two attempts of one subtask, or two deployments in one slot. */
  | 'not-fenced'
  /** Slots, threads, timers, sessions, channels or files are left over. */
  | 'leak'
  /** An exception that nobody handles. */
  | 'crash'

/** An invariant does not hold. Ends the run. */
export class Violation extends Error {
  readonly invariant: Invariant

  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`)
    this.name = 'Violation'
    this.invariant = invariant
  }
}

/** Takes the first violation of a run; what follows from it is of no interest. */
export class Verdict {
  #violation: Violation | undefined

  get violation(): Violation | undefined {
    return this.#violation
  }

  violated(invariant: Invariant, what: string): void {
    this.#violation ??= new Violation(invariant, what)
  }
}
