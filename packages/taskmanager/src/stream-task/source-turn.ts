import type { SourceDriver } from '@flink-ts/operators'

/** Whether it is the source's turn: not between its answer `wait` and the wake-up that follows. Owner: the task. */
export class SourceTurn {
  #waiting = false
  #woken = false

  /** The source has something again. */
  wake(): void {
    this.#woken = true
  }

  /** What the source answers; undefined: it still waits and was not asked. */
  ask(source: SourceDriver, maxRecords: number): 'more' | 'wait' | 'end' | undefined {
    if (this.#waiting && !this.#woken) return undefined
    // A wake-up during the call counts for what it did not see.
    this.#woken = false
    const answer = source.emit(maxRecords)
    this.#waiting = answer === 'wait'
    return answer
  }
}
