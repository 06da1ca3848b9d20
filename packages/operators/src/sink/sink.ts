import type { Logger } from '@flink-ts/common'
import type { AttemptFiles } from '../contract/stream-operator.ts'

/** What a writer learns of where it runs, and the way back to its task. */
export interface SinkWriterContext {
  readonly jobId: string
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly attemptNumber: number
  /** Undefined: fresh start. */
  readonly restoredCheckpointId: number | undefined
  /** To be told of unfinished files; {@link Sink.filesOf} says which of them a committable covers. */
  readonly files: Pick<AttemptFiles, 'made' | 'gone'>
  /** Takes the operator out of schedule (false) while asynchronous work catches up, and back in (true). */
  setAvailable(available: boolean): void
  /** Fails the task: for errors outside any call of the writer. */
  fail(error: unknown): void
  readonly logger: Logger
}

/** Writes the records of one subtask. */
export interface SinkWriter<T, Committable = never, WriterState = never> {
  /** Synchronous; buffers. @param timestamp milliseconds, NaN for none */
  write(value: T, timestamp: number): void
  /** Everything written so far has left the writer when it resolves. `endOfInput`: nothing more will come. */
  flush(endOfInput: boolean): void | Promise<void>
  /** What is to be committed when the checkpoint being taken is complete. After `flush`. */
  prepareCommit?(): readonly Committable[] | Promise<readonly Committable[]>
  /** State to continue from, after `prepareCommit`. Redistributed as a list. */
  snapshotState?(checkpointId: number): readonly WriterState[] | Promise<readonly WriterState[]>
  /** The task is being ended while a promise of this writer is open: let it settle soon. `close` follows. */
  cancel?(): void
  close?(): void | Promise<void>
}

/** Makes visible what a completed checkpoint covers. Must be idempotent: may come again after a recovery. */
export interface Committer<Committable> {
  commit(committables: readonly Committable[]): Promise<void>
  /** What comes from now on is of this attempt; before, it was restored. */
  opened?(): void
  close?(): void | Promise<void>
}

/** A committable on its way from a writer to a committer. */
export interface CommittableMessage<Committable> {
  readonly committable: Committable
  /** The writer that made it, from 0. */
  readonly subtaskIndex: number
}

/** A sink: a writer, and for exactly-once a committer (the shape of Flink's Sink V2). */
export interface Sink<T, Committable = unknown, WriterState = unknown> {
  /** For plans: `print`, `file`. */
  readonly kind: string
  /**
   * For sinks whose writers must know which operator's they are: a sink like this one, for one more operator. Called when
   * the same object is given to a second `sinkTo`; absent: all operators share it.
   */
  copy?(): Sink<T, Committable, WriterState>
  createWriter(
    context: SinkWriterContext,
    restored: readonly WriterState[],
  ): SinkWriter<T, Committable, WriterState> | Promise<SinkWriter<T, Committable, WriterState>>
  createCommitter?(): Committer<Committable>
  /**
   * Commits for all subtasks at once, in the job host: once for each checkpoint that is complete, with the committables
   * of all subtasks (after the committer, if there is one as well). May be called again with the same ones.
   */
  createGlobalCommitter?(): Committer<Committable>
  /**
   * Transforms the stream before it is written: gets and returns a DataStream.
   * @example addPreWriteTopology(input: DataStream<Row>) { return input.keyBy(row => row.table) }
   */
  addPreWriteTopology?(input: never): unknown
  /**
   * Transforms the committables between the writers and the committers, which become operators of their own: gets and
   * returns a DataStream of {@link CommittableMessage}. What is not passed on is not committed.
   */
  addPreCommitTopology?(committables: never): unknown
  /** Unfinished files (URIs) of a committable: results once it is committed, removed if it never will be. */
  filesOf?(committable: Committable): readonly string[]
}
