import { generateFunction } from '../codegen/generate-function.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from './source.ts'

/** Indices `next`, `next + step`, ... below `end` (null: for ever) that are still to be read. Plain data. */
export interface IndexSplit {
  readonly next: number
  readonly step: number
  readonly end: number | null
}

/** Hands out `makeElement(index)` for each index, with a code of its own for each instance. */
type EmitIndices<T> = (from: number, step: number, count: number, output: ReaderOutput<T>) => void

/** Reads splits of indices one after another, at most at `ratePerSecond` (undefined: as fast as possible). */
export class IndexReader<T> implements SourceReader<T, IndexSplit> {
  readonly #context: SourceReaderContext
  readonly #ratePerSecond: number | undefined
  readonly #emit: EmitIndices<T>
  #splits: IndexSplit[] = []
  #startedAtMs = 0
  #emitted = 0
  #alarm: NodeJS.Timeout | undefined

  constructor(
    context: SourceReaderContext,
    label: string,
    makeElement: ((index: number) => T) | undefined,
    ratePerSecond: number | undefined,
  ) {
    this.#context = context
    this.#ratePerSecond = ratePerSecond
    this.#emit = generateFunction<EmitIndices<T>>(
      label,
      ['make'],
      `return (from, step, count, output) => {
  for (let i = 0, index = from; i < count; i++, index += step) output.collect(${makeElement === undefined ? 'index' : 'make(index)'}, undefined)
}`,
      [makeElement],
    )
  }

  open(): void {
    this.#startedAtMs = performance.now()
  }

  addSplits(splits: readonly IndexSplit[]): void {
    this.#splits.push(...splits)
  }

  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end' {
    const split = this.#splits[0]
    if (split === undefined) return 'end'
    const left = split.end === null ? Infinity : Math.ceil((split.end - split.next) / split.step)
    const allowed = this.#allowed(max)
    if (allowed === 0 && left > 0) return 'wait'
    const count = Math.max(0, Math.min(left, allowed))
    // An error of the user's function ends the attempt, so the position may run ahead of it.
    if (count === left) this.#splits.shift()
    else this.#splits[0] = { next: split.next + count * split.step, step: split.step, end: split.end }
    this.#emitted += count
    this.#emit(split.next, split.step, count, output)
    return this.#splits.length > 0 ? 'more' : 'end'
  }

  snapshot(): readonly IndexSplit[] {
    return this.#splits
  }

  close(): void {
    clearTimeout(this.#alarm)
  }

  /** How many records the rate allows now; at 0 the reader is woken when it allows one more. */
  #allowed(max: number): number {
    if (this.#ratePerSecond === undefined) return max
    const elapsedMs = performance.now() - this.#startedAtMs
    const allowed = Math.min(max, Math.floor((elapsedMs * this.#ratePerSecond) / 1000) - this.#emitted)
    if (allowed > 0) return allowed
    const waitMs = ((this.#emitted + 1) * 1000) / this.#ratePerSecond - elapsedMs
    clearTimeout(this.#alarm)
    // setTimeout takes 32 bits; an early call only finds that it has to wait again.
    this.#alarm = setTimeout(
      () => this.#context.wake(),
      Math.min(Math.max(1, Math.ceil(waitMs)), 2 ** 31 - 1),
    )
    return 0
  }
}
