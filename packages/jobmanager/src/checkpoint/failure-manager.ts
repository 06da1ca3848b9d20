/** Counts checkpoints that fail in a row. Owner: the coordinator. */
export class FailureManager {
  readonly #tolerable: number
  #consecutive = 0

  constructor(tolerable: number) {
    this.#tolerable = tolerable
  }

  completed(): void {
    this.#consecutive = 0
  }

  /** Counts a failure. More than tolerable: answers how many, and counting starts again, as the job does. */
  failed(): number | undefined {
    this.#consecutive++
    if (this.#consecutive <= this.#tolerable) return undefined
    const count = this.#consecutive
    this.#consecutive = 0
    return count
  }
}
