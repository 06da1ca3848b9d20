import { InvalidArgument } from '../errors.ts'
import { IndexReader, type IndexSplit } from './index-reader.ts'
import type { Source, SourceReader, SourceReaderContext } from './source.ts'

/** The whole numbers from `from` to `to`, both included. Each split is a range. */
export class NumberSequenceSource implements Source<number, IndexSplit> {
  readonly boundedness = 'bounded'
  readonly kind = 'sequence'
  readonly #from: number
  readonly #to: number

  /** @throws operators.invalid-argument unless both are safe integers and `to >= from - 1` */
  constructor(from: number, to: number) {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || to < from - 1) {
      throw InvalidArgument({
        what: 'A sequence',
        value: `${from} to ${to}`,
        expected: 'two whole numbers, the smaller one first',
      })
    }
    this.#from = from
    this.#to = to
  }

  enumerateSplits(parallelism: number): readonly IndexSplit[] {
    const count = this.#to - this.#from + 1
    const splits: IndexSplit[] = []
    for (let i = 0; i < parallelism; i++) {
      const next = this.#from + Math.floor((count / parallelism) * i)
      const end =
        i === parallelism - 1 ? this.#to + 1 : this.#from + Math.floor((count / parallelism) * (i + 1))
      splits.push({ next, step: 1, end })
    }
    return splits
  }

  createReader(context: SourceReaderContext): SourceReader<number, IndexSplit> {
    return new IndexReader<number>(context, 'sequence', undefined)
  }
}
