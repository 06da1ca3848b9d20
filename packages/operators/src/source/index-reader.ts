import { generateFunction } from '../codegen/generate-function.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from './source.ts'

/** Indices `next`, `next + step`, ... below `end` (null: for ever) that are still to be read. Plain data. */
export interface IndexSplit {
  readonly next: number
  readonly step: number
  readonly end: number | null
}

/** Hands out `makeElement(index)` for each index, with a code of its own for each instance. */
type EmitIndices<T> = (from: number, step: number, count: number, output: ReaderOutput<T>) => void

/** setTimeout takes 32 bits; an early call only finds that it has to wait again. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Reads splits of indices one after another, as fast as the limiter lets it (undefined: as fast as possible). */
export class IndexReader<T> implements SourceReader<T, IndexSplit> {
  readonly #context: SourceReaderContext
  readonly #limiter: RateLimiter | undefined
  readonly #emit: EmitIndices<T>
  #splits: IndexSplit[] = []
  #alarm: NodeJS.Timeout | undefined

  constructor(
    context: SourceReaderContext,
    label: string,
    makeElement: ((index: number) => T) | undefined,
    limiter: RateLimiter | undefined,
  ) {
    this.#context = context
    this.#limiter = limiter
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
    this.#limiter?.start?.()
  }

  addSplits(splits: readonly IndexSplit[]): void {
    this.#splits.push(...splits)
  }

  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end' {
    const split = this.#splits[0]
    if (split === undefined) return 'end'
    const left = split.end === null ? Infinity : Math.ceil((split.end - split.next) / split.step)
    const wanted = Math.max(0, Math.min(left, max))
    const count = this.#limiter === undefined ? wanted : this.#limiter.take(wanted)
    if (count === 0 && wanted > 0) {
      this.#wakeLater()
      return 'wait'
    }
    // An error of the user's function ends the attempt, so the position may run ahead of it.
    if (count === left) this.#splits.shift()
    else this.#splits[0] = { next: split.next + count * split.step, step: split.step, end: split.end }
    this.#emit(split.next, split.step, count, output)
    return this.#splits.length > 0 ? 'more' : 'end'
  }

  snapshot(): readonly IndexSplit[] {
    return this.#splits
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.#limiter?.notifyCheckpointComplete === undefined) return
    this.#limiter.notifyCheckpointComplete(checkpointId)
    this.#context.wake()
  }

  close(): void {
    clearTimeout(this.#alarm)
  }

  #wakeLater(): void {
    const delayMs = this.#limiter?.delayMs()
    clearTimeout(this.#alarm)
    if (delayMs === undefined) return
    this.#alarm = setTimeout(
      () => this.#context.wake(),
      Math.min(Math.max(1, Math.ceil(delayMs)), MAX_DELAY_MS),
    )
  }
}
