import type { Logger } from '@flink-ts/common'
import type { SplitEnumerator, SplitEnumeratorContext } from './split-enumerator.ts'

/** Where a reader puts its records. */
export interface ReaderOutput<T> {
  /** @param timestamp event time in milliseconds, if the source knows it; a timestamp assigner may overrule it */
  collect(value: T, timestamp?: number): void
}

/**
 * A {@link ReaderOutput} with an output for each split, which has watermarks of its own: event time of the source is that
 * of its slowest split that is not idle. For readers that read several splits in turn: `poll` gets one of these, and may
 * declare it.
 */
export interface SplitsOutput<T> extends ReaderOutput<T> {
  /** The same for the same split. It holds event time back until its first watermark. */
  createOutputForSplit(splitId: string): ReaderOutput<T>
  /** The split is read to its end, or given back. */
  releaseOutputForSplit(splitId: string): void
}

/** What a reader learns of where it runs, and the way back to its task. */
export interface SourceReaderContext {
  readonly subtaskIndex: number
  readonly parallelism: number
  /** Has {@link SourceReader.poll} asked again after it answered `wait`. */
  wake(): void
  /** Fails the task: for errors outside any call of the reader. */
  fail(error: unknown): void
  /**
   * Asks the enumerator for a split before the last one is read, so that there is no pause in between; once until it
   * comes. A reader that answers `end` to `poll` asks by that. Does nothing for sources without an enumerator.
   */
  sendSplitRequest(): void
  readonly logger: Logger
  /** Sends plain data to the enumerator of the source. Lost if the attempt or the enumerator fails. */
  sendSourceEvent(event: unknown): void
}

/**
 * Reads the splits of one subtask. A split is plain data that includes the position up to which it was read, so that
 * `snapshot` and `addSplits` are all that recovery needs.
 */
export interface SourceReader<T, S> {
  open?(): void | Promise<void>
  addSplits(splits: readonly S[]): void
  /**
   * Emits up to `max` records. `wait`: nothing is there yet, `context.wake()` follows; `end`: all splits that were added
   * are read. A reader is asked again after `end` when it gets more splits.
   */
  poll(max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end'
  /** No split will be added any more. */
  notifyNoMoreSplits?(): void
  /** From the enumerator of the source. */
  handleSourceEvent?(event: unknown): void
  /** The unfinished splits, each at the position behind the last record emitted. */
  snapshot(): readonly S[]
  /** The snapshot is part of a checkpoint that is complete: external systems can be told of the positions. */
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  close?(): void | Promise<void>
}

/**
 * Something that can be read in parallel by splits (the shape of FLIP-27 sources). It has an enumerator, or all its
 * splits are known at the start ({@link Source.enumerateSplits}), which needs no job host.
 *
 * Splits, events and the enumerator's state are plain data: anything that a record may be.
 */
export interface Source<T, S = unknown, E = unknown> {
  readonly boundedness: 'bounded' | 'unbounded'
  /** For plans: `collection`, `parquet`. */
  readonly kind: string
  /** It runs in one subtask, whatever parallelism is set. */
  readonly nonParallel?: boolean
  /**
   * All splits in a fixed order: asked at a fresh start by every reader, which takes those at its own index modulo
   * parallelism; so the answer must be the same everywhere. After a restore the splits come from the state.
   */
  enumerateSplits?(parallelism: number): readonly S[] | Promise<readonly S[]>
  /** Makes the part that finds splits and hands them out: once for the job, in the job host. */
  createEnumerator?(
    context: SplitEnumeratorContext<S>,
  ): SplitEnumerator<S, E> | Promise<SplitEnumerator<S, E>>
  /** The same from what `snapshotState` gave. */
  restoreEnumerator?(
    context: SplitEnumeratorContext<S>,
    state: E,
  ): SplitEnumerator<S, E> | Promise<SplitEnumerator<S, E>>
  createReader(context: SourceReaderContext): SourceReader<T, S>
}
