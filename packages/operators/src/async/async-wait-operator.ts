import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { AsyncTimeout } from '../errors.ts'
import type { AsyncFunction, AsyncRetryStrategy } from '../functions/async-functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { describeValue, userFunctionFailure } from '../functions/user-function-failure.ts'
import { AsyncCall, type CallOutcome, resultsOf } from './async-call.ts'
import {
  OrderedResultQueue,
  type PendingResult,
  type ResultQueue,
  UnorderedResultQueue,
} from './result-queue.ts'

/** How asynchronous work is done. */
export interface AsyncWaitOptions {
  readonly ordered: boolean
  /** Records in flight at a time, those whose results wait for others included. */
  readonly capacity: number
  /** For all tries of one record together; undefined: without limit. */
  readonly timeoutMs: number | undefined
  readonly retry: AsyncRetryStrategy | undefined
}

interface Entry extends PendingResult {
  readonly value: unknown
  /** NaN for none. */
  readonly timestamp: number
  call: AsyncCall | undefined
  /** Processing time; Infinity: without limit. */
  deadlineMs: number
}

/** A record in flight, as stored. */
interface StoredRecord {
  readonly value: unknown
  readonly timestamp: number
}

/**
 * Operator of asynchronous functions. Results leave in order of the records, or as they come; no record passes a
 * watermark either way, and each result has the timestamp of its record. Records in flight are stored with each
 * snapshot and processed again after a restore: so the function may run more than once for a record, but its results
 * count once. When `capacity` records are in flight, no more are taken.
 */
export function asyncWaitOperator<T, R>(
  userFunction: AsyncFunction<T, R>,
  options: AsyncWaitOptions,
): OperatorFactory {
  return {
    kind: options.ordered ? 'async-wait-ordered' : 'async-wait-unordered',
    create: context =>
      new AsyncWaiting(context, userFunction as AsyncFunction<unknown, unknown>, options).operator(),
  }
}

/** One instance of the operator. Owner: the slot thread. */
class AsyncWaiting {
  readonly #context: OperatorContext
  readonly #function: AsyncFunction<unknown, unknown>
  readonly #options: AsyncWaitOptions
  readonly #queue: ResultQueue<Entry>
  readonly #stored
  /** Records beyond the capacity, not begun: a batch of input may overshoot. */
  readonly #waiting: Entry[] = []
  /** Begun and not emitted. */
  #inFlight = 0
  #available = true
  #deadlines: Entry[] = []
  #alarm: { cancel(): void } | undefined
  #closed = false

  constructor(
    context: OperatorContext,
    userFunction: AsyncFunction<unknown, unknown>,
    options: AsyncWaitOptions,
  ) {
    this.#context = context
    this.#function = userFunction
    this.#options = options
    this.#queue = options.ordered ? new OrderedResultQueue() : new UnorderedResultQueue()
    this.#stored = context.operatorState.listState<StoredRecord>('records-in-flight')
  }

  operator(): StreamOperator {
    const context = this.#context
    const processElement = context.generate<Push>(
      ['accept', 'register'],
      'return value => { accept(value, register[0]) }',
      [(value: unknown, timestamp: number) => this.#accept(value, timestamp), context.timestamp],
    )
    const lifecycle = lifecycleOf(this.#function, context, false, {
      open: () => {
        for (const { value, timestamp } of this.#stored.get()) this.#accept(value, timestamp)
      },
      close: () => this.#abandonAll(),
    })
    return {
      ...lifecycle,
      processElement,
      // The last watermark waits for all records: nothing may be in flight at the end.
      advanceWatermark: watermark => watermark !== MAX_WATERMARK || this.#queue.size === 0,
      forwardWatermark: watermark => {
        if (this.#queue.size === 0) return watermark
        this.#queue.addWatermark(watermark)
        return undefined
      },
      snapshotState: checkpointId => {
        this.#stored.update(
          Array.from(this.#queue.entries(), ({ value, timestamp }) => ({ value, timestamp })),
        )
        return lifecycle.snapshotState?.(checkpointId)
      },
    }
  }

  #abandonAll(): void {
    this.#closed = true
    this.#alarm?.cancel()
    const reason = new Error('The task has ended')
    for (const { call } of this.#queue.entries()) call?.abandon(reason)
  }

  #accept(value: unknown, timestamp: number): void {
    const entry: Entry = { value, timestamp, results: undefined, call: undefined, deadlineMs: Infinity }
    this.#queue.add(entry)
    if (this.#inFlight < this.#options.capacity) this.#begin(entry)
    else this.#waiting.push(entry)
    if (this.#available && this.#queue.size >= this.#options.capacity) {
      this.#available = false
      this.#context.setAvailable(false)
    }
  }

  #begin(entry: Entry): void {
    this.#inFlight++
    const context = this.#context
    entry.call = new AsyncCall(entry.value, entry.timestamp, {
      invoke: (value, future, asyncContext) => this.#function.asyncInvoke(value, future, asyncContext),
      retry: this.#options.retry,
      schedule: (delayMs, action) =>
        context.scheduleProcessingTime(context.processingTime() + delayMs, action),
      done: outcome => context.execute(() => this.#done(entry, outcome)),
    })
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined) {
      entry.deadlineMs = context.processingTime() + timeoutMs
      this.#deadlines.push(entry)
      // What is done long before its time is up must not stay in memory until then.
      if (this.#deadlines.length > 2 * this.#options.capacity + 64) {
        this.#deadlines = this.#deadlines.filter(({ results }) => results === undefined)
      }
      this.#setAlarm()
    }
    entry.call.start()
  }

  /** Runs between records. */
  #done(entry: Entry, outcome: CallOutcome): void {
    if (this.#closed || entry.results !== undefined) return
    if (outcome.type === 'error') throw this.#failure('asyncInvoke', outcome.error, entry)
    entry.results = outcome.results
    this.#queue.completed(entry)
    this.#emit()
  }

  #emit(): void {
    const { timestamp: register, out } = this.#context
    const before = register[0] as number
    this.#queue.drain({
      record: entry => {
        this.#inFlight--
        const results = entry.results as readonly unknown[]
        for (let i = 0; i < results.length; i++) {
          register[0] = entry.timestamp
          out(results[i])
        }
      },
      watermark: watermark => this.#context.emitWatermark(watermark),
    })
    register[0] = before
    while (this.#inFlight < this.#options.capacity) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#begin(next)
    }
    if (!this.#available && this.#queue.size < this.#options.capacity) {
      this.#available = true
      this.#context.setAvailable(true)
    }
    // The last watermark may have waited for this.
    if (this.#queue.size === 0) this.#context.wake()
  }

  /** All records have the same time limit: the first one begun is the first one due. */
  #setAlarm(): void {
    if (this.#alarm !== undefined || this.#closed) return
    let due = 0
    while (due < this.#deadlines.length && this.#deadlines[due]?.results !== undefined) due++
    this.#deadlines.splice(0, due)
    const [first] = this.#deadlines
    if (first === undefined) return
    this.#alarm = this.#context.scheduleProcessingTime(first.deadlineMs, () => {
      this.#alarm = undefined
      this.#timeOut()
      this.#setAlarm()
    })
  }

  #timeOut(): void {
    const now = this.#context.processingTime()
    let due = 0
    while (due < this.#deadlines.length && (this.#deadlines[due] as Entry).deadlineMs <= now) due++
    for (const entry of this.#deadlines.splice(0, due)) {
      if (entry.results !== undefined || this.#closed) continue
      const { operatorName: operator } = this.#context
      const timeoutMs = this.#options.timeoutMs as number
      const error = AsyncTimeout({ operator, timeoutMs, record: describeValue(entry.value) })
      entry.call?.abandon(error)
      this.#timedOut(entry, error)
    }
  }

  #timedOut(entry: Entry, error: Error): void {
    if (this.#function.timeout === undefined) throw error
    let settled = false
    const settle = (outcome: CallOutcome): void => {
      if (settled) return
      settled = true
      this.#context.execute(() => this.#done(entry, outcome))
    }
    try {
      this.#function.timeout(entry.value, {
        complete: results => settle(resultsOf(results)),
        completeExceptionally: thrown => settle({ type: 'error', error: thrown }),
      })
    } catch (thrown) {
      throw this.#failure('timeout', thrown, entry)
    }
  }

  #failure(method: string, error: unknown, entry: Entry): Error {
    return userFunctionFailure(this.#context, method, error, `record ${describeValue(entry.value)}`)
  }
}
