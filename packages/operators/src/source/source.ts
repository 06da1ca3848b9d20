/** Where a reader puts its records. */
export interface ReaderOutput<T> {
  /** @param timestamp event time in milliseconds, if the source knows it; a timestamp assigner may overrule it */
  collect(value: T, timestamp?: number): void
}

export interface SourceReaderContext {
  readonly subtaskIndex: number
  readonly parallelism: number
  /** Has {@link SourceReader.poll} asked again after it answered `wait`. */
  wake(): void
  /** Fails the task: for errors outside any call of the reader. */
  fail(error: unknown): void
}

/**
 * Reads the splits of one subtask. A split is plain data that includes the position up to which it was read, so that
 * `snapshot` and `addSplits` are all that recovery needs.
 */
export interface SourceReader<T, S> {
  open?(): void | Promise<void>
  addSplits(splits: readonly S[]): void
  /** Emits up to `max` records. `wait`: nothing is there yet, `context.wake()` follows; `end`: all splits are read. */
  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end'
  /** The unfinished splits, each at the position behind the last record emitted. */
  snapshot(): readonly S[]
  close?(): void | Promise<void>
}

/** Something that can be read in parallel by splits (the shape of FLIP-27 sources). */
export interface Source<T, S = unknown> {
  readonly boundedness: 'bounded' | 'unbounded'
  /** For plans: `collection`, `parquet`. */
  readonly kind: string
  /**
   * All splits in a fixed order: asked at a fresh start by every reader, which takes those at its own index modulo
   * parallelism; so the answer must be the same everywhere. After a restore the splits come from the state.
   */
  enumerateSplits(parallelism: number): readonly S[] | Promise<readonly S[]>
  createReader(context: SourceReaderContext): SourceReader<T, S>
}
