import type { OperatorContext, Push } from '../contract/stream-operator.ts'

/** Accumulator that the number of late records dropped is reported under at the end of the task. */
export const LATE_RECORDS_DROPPED = 'numLateRecordsDropped'

/** What becomes of late records: a side output, or a number. */
export class LateRecords {
  readonly #context: OperatorContext
  readonly #sideOutput: Push | undefined
  #dropped = 0

  constructor(context: OperatorContext, tag: string | undefined) {
    this.#context = context
    this.#sideOutput = tag === undefined ? undefined : context.sideOutput(tag)
    context.setMetric(LATE_RECORDS_DROPPED, () => this.#dropped)
  }

  add(value: unknown): void {
    if (this.#sideOutput === undefined) this.#dropped++
    else this.#sideOutput(value)
  }

  /** Reports the number at the end of the task. */
  finish(): void {
    if (this.#dropped > 0) this.#context.setAccumulator(LATE_RECORDS_DROPPED, this.#dropped)
  }
}
