import type { AccumulatorValue, Logger, OperatorId } from '@flink-ts/common'
import type { KeyedStateBackend, OperatorStateBackend } from '@flink-ts/state'
import type { CoordinatorProvider } from './operator-coordinator.ts'

/** Hands one record on. Its timestamp is in the task's timestamp register, {@link OperatorContext.timestamp}. */
export type Push = (value: unknown) => void

/** Watermark after the last record: everything is complete. */
export const MAX_WATERMARK = Number.MAX_SAFE_INTEGER
/** Watermark before the first one. */
export const MIN_WATERMARK = Number.MIN_SAFE_INTEGER

/**
 * One operator instance of one subtask, made by an {@link OperatorFactory} for each attempt. All calls come from one
 * thread, never two at a time, and none while an earlier promise of this operator's task is unsettled.
 *
 * Order: `open`, then records, watermarks, timers and snapshots in any order, `endInput` for each input, a last
 * checkpoint if checkpointing is on, `finish`, `close`. After a failure or cancellation only `close`.
 *
 * `processElement` must be a function of its own for each instance, from unique source text
 * ({@link OperatorContext.generate}): shared code becomes megamorphic and costs half the speed (DESIGN 4).
 */
export interface StreamOperator {
  /** First input. Undefined for sources. Must not keep the register's timestamp changed after it returns. */
  readonly processElement?: Push
  /** Second input of two-input operators. */
  readonly processElement2?: Push
  /** It emits exactly one record to its main output for each record of its first input: need not be counted twice. */
  readonly emitsOneEach?: true
  /** The emitting half of a source; undefined for all others. */
  readonly source?: SourceDriver
  open?(): void | Promise<void>
  /**
   * Event time has reached `watermark`: fire what is due, at most until `context.shouldYield()` says stop. Returns
   * true when all is done; false to be called again with the same watermark. No records come meanwhile; snapshots may.
   * Absent: nothing to do.
   */
  advanceWatermark?(watermark: number): boolean
  /** Watermark that goes on downstream when `advanceWatermark` is done; undefined: none. Absent: the same one. */
  forwardWatermark?(watermark: number): number | undefined
  /** Before the barrier goes on downstream: may still emit. */
  prepareSnapshot?(checkpointId: number): void | Promise<void>
  /** After the barrier went on: put what is to be stored into the operator state of the context. */
  snapshotState?(checkpointId: number): void | Promise<void>
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  /**
   * From the operator's coordinator, between records, in order with snapshots: what the coordinator sent before its own
   * snapshot comes before `snapshotState`, everything else after it. Not before `open` has settled; may
   * come while another promise of this operator is open, which may wait for it.
   */
  handleOperatorEvent?(event: Uint8Array): void
  /** No more records on this input (0 or 1). May emit. Event time has advanced to {@link MAX_WATERMARK} before. */
  endInput?(input: number): void | Promise<void>
  /** All is done and, with checkpointing, the last checkpoint is complete. */
  finish?(): void | Promise<void>
  /** The task is being ended while a promise of this operator is open: let it settle soon. `close` follows. */
  cancel?(): void
  /** Always called once, whatever happened; must not emit. */
  close?(): void | Promise<void>
}

/** What a source operator offers to its task. */
export interface SourceDriver {
  /**
   * Emits at most about `maxRecords` records into `context.out`. `more`: call again soon; `wait`: nothing now,
   * `context.wake()` will be called; `end`: no more records, ever.
   */
  emit(maxRecords: number): 'more' | 'wait' | 'end'
}

/** Makes the operator instances of one transformation; holds the user's functions. */
export interface OperatorFactory {
  /** As in the job graph's `kind`. */
  readonly kind: string
  create(context: OperatorContext): StreamOperator
  /** The part of the operator that exists once for the job and runs in the job host. Absent: there is none. */
  readonly coordinator?: CoordinatorProvider
  /** Of its contexts: {@link OperatorContext.keyPlace}. */
  readonly keyPlace?: string
}

/**
 * Told of the unfinished files of an attempt, so that those that no checkpoint will ever cover are removed when the job
 * is over, however it ended. Files of attempts that are followed by others are the business of those.
 */
export interface AttemptFiles {
  /** A file was made that is of no use unless a checkpoint comes to cover it. */
  made(uri: string): void
  /** These files are whole if checkpoint `checkpointId` completes. */
  covered(uris: readonly string[], checkpointId: number): void
  /** These are removed, or have become results. */
  gone(uris: readonly string[]): void
}

/** What an operator instance gets from its task. */
export interface OperatorContext {
  readonly operatorId: OperatorId
  readonly operatorName: string
  readonly jobId: string
  readonly jobName: string
  /** From 0. */
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  /** From 0. */
  readonly attemptNumber: number
  /**
   * All inputs are bounded, and final results are what counts: there is no watermark before the last one, and timers of
   * processing time fire with it. Absent: false.
   */
  readonly batch?: boolean
  /** Emitted records are frozen, so that functions that change them are found; see `withRecordChecks`. Absent: false. */
  readonly recordsChecked?: boolean
  /** Where the program says by which key records come, for messages. Absent: nobody knows, or there are no keys. */
  readonly keyPlace?: string
  /** The operator's broadcast sets by name, whole; see `withBroadcastSets`. Absent: it has none. */
  readonly broadcastSets?: ReadonlyMap<string, readonly unknown[]>
  /** Whether checkpoints are taken, that is, whether `notifyCheckpointComplete` will come before `finish`. */
  readonly checkpointingEnabled: boolean
  /** Id of the checkpoint that this attempt was restored from; undefined: fresh start. */
  readonly restoredCheckpointId: number | undefined
  readonly autoWatermarkIntervalMs: number
  /** Local paths of the files that the program has registered, by name. Absent: there are none. */
  readonly cachedFiles?: Readonly<Record<string, string>>
  readonly globalJobParameters: Readonly<Record<string, string>>
  /** The task's timestamp register: `timestamp[0]` belongs to the record being pushed; milliseconds, NaN for none. */
  readonly timestamp: Float64Array
  /** Main output. The record's timestamp must be in the register when it is called. */
  readonly out: Push
  /** Output of a side-output tag; a function that drops if nobody reads it. */
  sideOutput(tag: string): Push
  /** Makes code of this instance's own: `new Function` with a unique comment; `values` are bound to `names`. */
  generate<F>(names: readonly string[], body: string, values: readonly unknown[]): F
  /** Heap state by key; only for operators behind keyBy. */
  readonly keyedState: KeyedStateBackend
  readonly operatorState: OperatorStateBackend
  readonly files: AttemptFiles
  /** Sends a watermark down from this operator, as sources and watermark assigners do. Lower ones are ignored. */
  emitWatermark(watermark: number): void
  /** Says that this source is idle, so that it does not hold back event time; a record or watermark ends it. */
  emitIdle(): void
  /** The operator's current event time. */
  currentWatermark(): number
  /** True when a long piece of work (timers) should stop: the slice is over or the outputs are full. */
  shouldYield(): boolean
  /** The task takes no records now: its outputs are full, or one of its operators is not available. */
  isBlocked(): boolean
  /** Milliseconds since the epoch. */
  processingTime(): number
  /** Runs `action` in the task, between records, once at or after `time` (processing time). Lost at a restart. */
  scheduleProcessingTime(time: number, action: () => void): { cancel(): void }
  /** Runs `action` in the task, between records: how asynchronous work comes back. Safe to call from callbacks. */
  execute(action: () => void): void
  /** Lets a waiting source be asked again. */
  wake(): void
  /** Fails the task: for errors that occur outside any call of the operator. */
  fail(error: unknown): void
  /** False: the task takes no input and is not asked for records until it is true again (asynchronous sinks). */
  setAvailable(available: boolean): void
  /** To the operator's coordinator, if its factory has one. Lost if the attempt or the coordinator fails. */
  sendOperatorEvent(event: Uint8Array): void
  /**
   * Reports at the end of the task, merged over subtasks into the job's result: numbers add up, lists are joined. A
   * function is asked at the end.
   */
  setAccumulator(name: string, value: AccumulatorValue | (() => AccumulatorValue)): void
  /** Adds a metric of this operator to what is shown of it; asked about once a second. Later ones replace earlier ones. */
  setMetric(name: string, read: () => number | string): void
  readonly logger: Logger
}
