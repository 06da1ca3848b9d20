/** Records that are taken between two looks at everything else, at most. */
const MOST_RECORDS = 256
/** In the first step, of which nobody knows how long a record takes. */
const FIRST_RECORDS = 8
/** What a step should take: a slice of the thread ends between steps only, and control mail waits for it. */
const STEP_MS = 2

/**
 * How many records a task takes in one step: fewer where they take long, down to one, so that barriers and
 * cancellation wait for one slow call of user code and not for hundreds. Owner: the task.
 */
export class BatchSize {
  #records = FIRST_RECORDS

  get records(): number {
    return this.#records
  }

  /** @param elapsedMs of the last step that found work, with those of other tasks since the one before */
  stepTook(elapsedMs: number): void {
    if (elapsedMs > STEP_MS) this.#records = Math.max(1, Math.floor((this.#records * STEP_MS) / elapsedMs))
    else if (this.#records < MOST_RECORDS) this.#records = Math.min(MOST_RECORDS, this.#records * 2)
  }
}
