import { integerCells } from '@flink-ts/serialization'
/**
 * Counts records in generated code, which adds to `cell[0]`, an int32 that wraps: to be read at least once in four
 * thousand million records. Owner: the task.
 */
export class RecordCounter {
  readonly cell = integerCells(1)
  #seen = 0
  #total = 0

  total(): number {
    const now = this.cell[0] as number
    this.#total += (now - this.#seen) >>> 0
    this.#seen = now
    return this.#total
  }
}
