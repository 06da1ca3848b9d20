import { InvalidArgument } from '../errors.ts'
import { IndexReader, type IndexSplit } from './index-reader.ts'
import { RateLimiterStrategy } from './rate-limiter.ts'
import type { Source, SourceReader, SourceReaderContext } from './source.ts'

/** What a {@link DataGeneratorSource} makes. */
export interface DataGeneratorOptions<T> {
  /** The record at `index` (from 0). Must depend on the index only: after a recovery it is asked again. */
  readonly generator: (index: number) => T
  /** Records in all; absent: without end. */
  readonly count?: number
  /** Records a second over all subtasks; absent: as fast as possible, or as `rate` says. */
  readonly ratePerSecond?: number
  readonly rate?: RateLimiterStrategy
}

/**
 * Makes records from their index. The subtasks take turns: with parallelism p, subtask i makes the indices i, i + p,
 * i + 2p, ..., so that event time derived from the index advances evenly.
 * @example new DataGeneratorSource({ generator: i => ({ user: i % 10, time: i * 100 }), count: 1_000_000 })
 */
export class DataGeneratorSource<T> implements Source<T, IndexSplit> {
  readonly boundedness: 'bounded' | 'unbounded'
  readonly kind = 'datagen'
  readonly #options: DataGeneratorOptions<T>
  readonly #rate: RateLimiterStrategy | undefined

  /** @throws operators.invalid-argument for a count that is no whole number or a rate that is not positive */
  constructor(options: DataGeneratorOptions<T>) {
    const { count, ratePerSecond } = options
    if (count !== undefined && count !== Infinity && (!Number.isSafeInteger(count) || count < 0)) {
      throw InvalidArgument({
        what: 'count of a generator',
        value: String(count),
        expected: 'a whole number from 0',
      })
    }
    if (ratePerSecond !== undefined && !(ratePerSecond > 0 && ratePerSecond < Infinity)) {
      throw InvalidArgument({
        what: 'ratePerSecond of a generator',
        value: String(ratePerSecond),
        expected: 'a positive number',
      })
    }
    if (ratePerSecond !== undefined && options.rate !== undefined) {
      throw InvalidArgument({
        what: 'A generator',
        value: 'both ratePerSecond and rate',
        expected: 'one of them',
      })
    }
    this.#options = options
    this.#rate = ratePerSecond === undefined ? options.rate : RateLimiterStrategy.perSecond(ratePerSecond)
    this.boundedness = count === undefined || count === Infinity ? 'unbounded' : 'bounded'
  }

  enumerateSplits(parallelism: number): readonly IndexSplit[] {
    const end = this.boundedness === 'bounded' ? (this.#options.count as number) : null
    return Array.from({ length: parallelism }, (_, i) => ({ next: i, step: parallelism, end }))
  }

  createReader(context: SourceReaderContext): SourceReader<T, IndexSplit> {
    const rate = this.#rate
    if (rate === undefined) return new IndexReader<T>(context, 'datagen', this.#options.generator)
    const { subtaskIndex } = context
    // By what this reader has to read: after a restore at another parallelism some have more splits, some none.
    return new IndexReader<T>(context, 'datagen', this.#options.generator, share =>
      rate.createRateLimiter({ parallelism: 1 / share, subtaskIndex }),
    )
  }
}
