import type { ReaderOutput, SourceReader, SourceReaderContext } from '@flink-ts/operators'

/** What all splits of files have: their place in the order of enumeration. */
export interface OrderedSplit {
  readonly index: number
}

/** A decoded piece of a split whose records can be emitted at once. */
export interface Block<T, S> {
  /** Emits up to `max` records; true when all of the block are out. */
  emit(max: number, output: ReaderOutput<T>): boolean
  /** The split at the position behind the last record emitted. */
  split(): S
  /** What of the split comes behind this block; undefined: nothing. */
  readonly rest: S | undefined
}

/** Reads and decodes; one call at a time. */
export interface BlockLoader<T, S> {
  load(split: S): Promise<Block<T, S>>
  close(): Promise<void>
}

/**
 * Reads splits one after another in their order of enumeration, also after a restore that mixed them, so that sorted
 * input stays sorted in each subtask. While a block is emitted, the next one is loaded; splits are asked for one ahead.
 * Owner: one slot thread.
 */
export class BlockReader<T, S extends OrderedSplit> implements SourceReader<T, S> {
  readonly #context: SourceReaderContext
  readonly #loader: BlockLoader<T, S>
  #queue: S[] = []
  #current: Block<T, S> | undefined
  #next: Block<T, S> | undefined
  #loading: { readonly split: S; readonly done: Promise<void> } | undefined
  #closed = false

  constructor(context: SourceReaderContext, loader: BlockLoader<T, S>) {
    this.#context = context
    this.#loader = loader
  }

  addSplits(splits: readonly S[]): void {
    this.#queue = [...this.#queue, ...splits].sort((a, b) => a.index - b.index)
    this.#startLoading()
  }

  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end' {
    if (this.#current === undefined) {
      this.#current = this.#next
      this.#next = undefined
      this.#startLoading()
    }
    if (this.#current === undefined) return this.#loading === undefined ? 'end' : 'wait'
    if (!this.#current.emit(max, output)) return 'more'
    this.#current = this.#next
    this.#next = undefined
    this.#startLoading()
    return this.#current !== undefined ? 'more' : this.#loading === undefined ? 'end' : 'wait'
  }

  snapshot(): readonly S[] {
    const unfinished = new Map<number, S>()
    const add = (split: S | undefined): void => {
      // The first piece of a split holds the earliest position, and reaches to its end.
      if (split !== undefined && !unfinished.has(split.index)) unfinished.set(split.index, split)
    }
    add(this.#current?.split())
    add(this.#next?.split())
    add(this.#loading?.split)
    for (const split of this.#queue) add(split)
    return [...unfinished.values()]
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#loading?.done
    await this.#loader.close()
  }

  #startLoading(): void {
    if (this.#closed || this.#loading !== undefined || this.#next !== undefined) return
    const split = this.#queue.shift()
    if (split === undefined) {
      // What is emitted now is the last: the next one is here when it is through.
      this.#context.sendSplitRequest()
      return
    }
    this.#loading = { split, done: this.#load(split) }
  }

  /** Never rejects. */
  async #load(split: S): Promise<void> {
    try {
      const block = await this.#loader.load(split)
      this.#next = block
      if (block.rest !== undefined) this.#queue.unshift(block.rest)
    } catch (error) {
      if (!this.#closed) this.#context.fail(error)
      // The split stays in `#loading`: it is not read, and must not be missing in a snapshot.
      return
    }
    this.#loading = undefined
    if (!this.#closed) this.#context.wake()
  }
}
