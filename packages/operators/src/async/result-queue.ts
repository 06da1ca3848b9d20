/** One record whose results are awaited. */
export interface PendingResult {
  /** Undefined: not there yet. */
  results: readonly unknown[] | undefined
}

/** Takes what is next, in its order. */
export interface ResultSink<E extends PendingResult> {
  record(entry: E): void
  watermark(watermark: number): void
}

/**
 * Records in flight in the order of their arrival, with the watermarks between them: no record passes a watermark.
 * Owner: the operator's slot thread.
 */
export interface ResultQueue<E extends PendingResult> {
  /** Records. */
  readonly size: number
  add(entry: E): void
  addWatermark(watermark: number): void
  /** The results of `entry` are there. */
  completed(entry: E): void
  /** Removes and hands over what may go. */
  drain(sink: ResultSink<E>): void
  /** All records, in order of arrival. */
  entries(): Iterable<E>
}

/** Results leave in the order of their records. */
export class OrderedResultQueue<E extends PendingResult> implements ResultQueue<E> {
  #items: (E | number)[] = []
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  add(entry: E): void {
    this.#items.push(entry)
    this.#size++
  }

  addWatermark(watermark: number): void {
    // Only the highest of several in a row matters.
    if (typeof this.#items.at(-1) === 'number') this.#items[this.#items.length - 1] = watermark
    else this.#items.push(watermark)
  }

  completed(): void {}

  drain(sink: ResultSink<E>): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head] as E | number
      if (typeof item !== 'number' && item.results === undefined) break
      this.#head++
      if (typeof item === 'number') {
        sink.watermark(item)
      } else {
        this.#size--
        sink.record(item)
      }
    }
    if (this.#head === this.#items.length || this.#head > 1024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  *entries(): Iterable<E> {
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i] as E | number
      if (typeof item !== 'number') yield item
    }
  }
}

/** Records between two watermarks. */
interface Segment<E> {
  /** In order of arrival; done or not. */
  readonly records: Set<E>
  done: E[]
  /** What follows the segment; undefined: it is the last one. */
  watermark: number | undefined
}

/** Results leave as they come, but none passes a watermark. */
export class UnorderedResultQueue<E extends PendingResult> implements ResultQueue<E> {
  readonly #segments: Segment<E>[] = [newSegment()]
  readonly #segmentOf = new Map<E, Segment<E>>()

  get size(): number {
    return this.#segmentOf.size
  }

  add(entry: E): void {
    const last = this.#segments.at(-1) as Segment<E>
    last.records.add(entry)
    this.#segmentOf.set(entry, last)
  }

  addWatermark(watermark: number): void {
    const last = this.#segments.at(-1) as Segment<E>
    const before = this.#segments.at(-2)
    if (last.records.size === 0 && before !== undefined) {
      before.watermark = watermark
      return
    }
    last.watermark = watermark
    this.#segments.push(newSegment())
  }

  completed(entry: E): void {
    this.#segmentOf.get(entry)?.done.push(entry)
  }

  drain(sink: ResultSink<E>): void {
    for (;;) {
      const first = this.#segments[0] as Segment<E>
      // What one of them does may complete others.
      while (first.done.length > 0) {
        const { done } = first
        first.done = []
        for (const entry of done) {
          first.records.delete(entry)
          this.#segmentOf.delete(entry)
          sink.record(entry)
        }
      }
      if (first.records.size > 0 || first.watermark === undefined) return
      this.#segments.shift()
      sink.watermark(first.watermark)
    }
  }

  *entries(): Iterable<E> {
    for (const segment of this.#segments) yield* segment.records
  }
}

function newSegment<E>(): Segment<E> {
  return { records: new Set(), done: [], watermark: undefined }
}
