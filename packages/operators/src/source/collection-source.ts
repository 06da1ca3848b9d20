import type { ReaderOutput, Source, SourceReader } from './source.ts'

interface CollectionSplit {
  /** Index of the next element. */
  readonly next: number
}

/**
 * Emits the elements of an array, in order. Not parallel. The elements come from the replayed program, only the
 * position is state: they must be the same in each run of `main`.
 */
export class CollectionSource<T> implements Source<T, CollectionSplit> {
  readonly boundedness = 'bounded'
  readonly kind = 'collection'
  readonly nonParallel = true
  readonly #elements: readonly T[]

  constructor(elements: readonly T[]) {
    this.#elements = elements
  }

  enumerateSplits(): readonly CollectionSplit[] {
    return [{ next: 0 }]
  }

  createReader(): SourceReader<T, CollectionSplit> {
    return new CollectionReader(this.#elements)
  }
}

class CollectionReader<T> implements SourceReader<T, CollectionSplit> {
  readonly #elements: readonly T[]
  readonly #positions: number[] = []

  constructor(elements: readonly T[]) {
    this.#elements = elements
  }

  addSplits(splits: readonly CollectionSplit[]): void {
    for (const split of splits) this.#positions.push(split.next)
  }

  poll(max: number, output: ReaderOutput<T>): 'more' | 'end' {
    const elements = this.#elements
    let next = this.#positions[0]
    if (next === undefined) return 'end'
    const end = Math.min(elements.length, next + max)
    while (next < end) {
      const element = elements[next++] as T
      this.#positions[0] = next
      output.collect(element)
    }
    if (next >= elements.length) this.#positions.shift()
    return this.#positions.length > 0 ? 'more' : 'end'
  }

  snapshot(): readonly CollectionSplit[] {
    return this.#positions.map(next => ({ next }))
  }
}
