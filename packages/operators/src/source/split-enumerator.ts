import type { Logger } from '@flink-ts/common'

/**
 * Finds the splits of a source and hands them to readers. Exists once for the job; all calls come one at a time from
 * one thread of the job host. What it assigned to a reader belongs to the reader's state from the next checkpoint on;
 * until then it comes back by `addSplitsBack` if the reader fails. So each split is either in `snapshotState` or with
 * a reader.
 */
export interface SplitEnumerator<S, E> {
  /** First call. Failures to find splits may be thrown here or come by `context.callAsync`. */
  start(): void | Promise<void>
  /** A reader has nothing to read. Answer now or later with `assignSplit` or `signalNoMoreSplits`. */
  handleSplitRequest(subtaskIndex: number): void
  /** These were assigned to a reader that failed before a checkpoint had them; positions as when they were assigned. */
  addSplitsBack(splits: readonly S[], subtaskIndex: number): void
  /** A reader has started, for the first time or again. */
  addReader(subtaskIndex: number): void
  /** The state at this moment: all splits that are not with a reader, and what was seen so far. */
  snapshotState(checkpointId: number): E
  handleSourceEvent?(subtaskIndex: number, event: unknown): void
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  close?(): void | Promise<void>
}

/** What an enumerator gets from the job host. */
export interface SplitEnumeratorContext<S> {
  /** Number of readers when all have started. */
  readonly currentParallelism: number
  /** Readers that have started and not failed, by subtask index. */
  registeredReaders(): readonly number[]
  /** @throws operators.reader-not-registered; operators.split-after-no-more if that reader was told there are no more */
  assignSplit(split: S, subtaskIndex: number): void
  assignSplits(splits: readonly S[], subtaskIndex: number): void
  /** The reader ends when it has read what it has. */
  signalNoMoreSplits(subtaskIndex: number): void
  sendSourceEvent(subtaskIndex: number, event: unknown): void
  /**
   * Runs asynchronous work and gives its result to `handler`, between other calls. With `periodMs` again and again,
   * never two at a time. Without `onError` a failure restarts the job.
   */
  callAsync<R>(
    work: () => Promise<R>,
    handler: (result: R) => void,
    options?: {
      readonly initialDelayMs?: number
      readonly periodMs?: number
      readonly onError?: (error: unknown) => void
    },
  ): void
  readonly logger: Logger
}
