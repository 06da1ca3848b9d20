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

/** Where a split is read. */
interface Cursor {
  next: number
  readonly step: number
  readonly end: number | null
}

/**
 * Reads splits of indices, as fast as the limiter lets it. Of several (after a restore at a lower parallelism) it reads
 * the one that is furthest behind: indices come in order, and so does event time that is made of them, and none is left
 * behind by one without end.
 */
export class IndexReader<T> implements SourceReader<T, IndexSplit> {
  readonly #context: SourceReaderContext
  readonly #createLimiter: ((share: number) => RateLimiter) | undefined
  readonly #emit: EmitIndices<T>
  #limiter: RateLimiter | undefined
  #splits: Cursor[] = []
  #alarm: NodeJS.Timeout | undefined

  /** @param createLimiter gets which part of all indices the splits of this reader are: 1 for all */
  constructor(
    context: SourceReaderContext,
    label: string,
    makeElement: ((index: number) => T) | undefined,
    createLimiter?: (share: number) => RateLimiter,
  ) {
    this.#context = context
    this.#createLimiter = createLimiter
    this.#emit = generateFunction<EmitIndices<T>>(
      label,
      ['make'],
      `return (from, step, count, output) => {
  for (let i = 0, index = from; i < count; i++, index += step) output.collect(${makeElement === undefined ? 'index' : 'make(index)'}, undefined)
}`,
      [makeElement],
    )
  }

  addSplits(splits: readonly IndexSplit[]): void {
    this.#splits.push(...splits.map(split => ({ ...split })))
    const share = this.#splits.reduce((sum, { step }) => sum + 1 / step, 0)
    if (share === 0) return
    this.#limiter = this.#createLimiter?.(share)
    this.#limiter?.start?.()
  }

  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end' {
    if (this.#splits.length === 0) return 'end'
    const wanted = Math.min(max, this.#left(max))
    let allowed = this.#limiter === undefined ? wanted : this.#limiter.take(wanted)
    if (allowed === 0 && wanted > 0) {
      this.#wakeLater()
      return 'wait'
    }
    do {
      const split = this.#furthestBehind()
      if (split === undefined) return 'end'
      allowed -= this.#read(split, allowed, output)
    } while (allowed > 0)
    return this.#splits.length > 0 ? 'more' : 'end'
  }

  /** Indices that are left, counted up to `max`. */
  #left(max: number): number {
    let left = 0
    for (const split of this.#splits) {
      left += leftIn(split)
      if (left >= max) break
    }
    return left
  }

  #furthestBehind(): Cursor | undefined {
    let least = this.#splits[0]
    for (const split of this.#splits) if (split.next < (least as Cursor).next) least = split
    return least
  }

  /** Reads on until another split is further behind. @returns how many indices were handed out */
  #read(split: Cursor, max: number, output: ReaderOutput<T>): number {
    const left = leftIn(split)
    let count = Math.min(left, max)
    for (const other of this.#splits) {
      if (other !== split) count = Math.min(count, Math.floor((other.next - split.next) / split.step) + 1)
    }
    const from = split.next
    // An error of the user's function ends the attempt, so the position may run ahead of it.
    if (count === left) this.#splits = this.#splits.filter(other => other !== split)
    else split.next += count * split.step
    this.#emit(from, split.step, count, output)
    return count
  }

  snapshot(): readonly IndexSplit[] {
    return this.#splits.map(split => ({ ...split }))
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

function leftIn({ next, step, end }: Cursor): number {
  return end === null ? Infinity : Math.max(0, Math.ceil((end - next) / step))
}
