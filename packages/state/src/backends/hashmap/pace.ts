/** Entries between two looks at the clock. */
const ENTRIES_PER_CHECK = 8

/** Measures slices: one look at the clock for some entries. */
export class Pace {
  readonly pause: () => Promise<void>
  readonly #sliceMs: number
  #entries = 0
  #startMs = performance.now()

  constructor(sliceMs: number, pause: () => Promise<void>) {
    this.#sliceMs = sliceMs
    this.pause = async () => {
      await pause()
      this.#startMs = performance.now()
    }
  }

  /** Called for each entry. */
  isOver(): boolean {
    if (++this.#entries % ENTRIES_PER_CHECK !== 0 && this.#sliceMs > 0) return false
    return performance.now() - this.#startMs >= this.#sliceMs
  }
}
