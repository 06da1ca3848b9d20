import { AsyncSinkFailed } from '../errors.ts'
import type { SinkWriter, SinkWriterContext } from './sink.ts'

export interface AsyncSinkWriterOptions {
  readonly maxBatchSize: number
  readonly maxBatchSizeBytes: number
  readonly maxInFlightRequests: number
  readonly maxBufferedEntries: number
  readonly maxTimeInBufferMs: number
  readonly retryDelayMs: number
  readonly maxRetryDelayMs: number
  readonly maxRetries: number
}

export interface AsyncSinkWriterDependencies<T, Entry> {
  readonly toEntry: (value: T) => Entry
  readonly submit: (
    entries: readonly Entry[],
    signal: AbortSignal,
  ) => Promise<readonly Entry[]> | Promise<void>
  readonly isFatal: (error: unknown) => boolean
  readonly sizeOf: (entry: Entry) => number
  readonly context: Pick<SinkWriterContext, 'setAvailable' | 'fail' | 'logger'>
}

/**
 * Gathers entries, sends them in requests, some at a time, and those that failed again. How many at a time follows the
 * failures: half as many after one, one more after each request that went through. Owner: one slot thread.
 */
export class AsyncSinkWriter<T, Entry> implements SinkWriter<T, never, Entry> {
  readonly #options: AsyncSinkWriterOptions
  readonly #ports: AsyncSinkWriterDependencies<T, Entry>
  readonly #aborting = new AbortController()
  /** In order; those from `#head` on have not been sent, or have to be again. */
  #buffer: Entry[]
  #head = 0
  #inFlight = 0
  #inFlightEntries = 0
  #inFlightLimit: number
  #failuresInARow = 0
  /** Requests that are not full go, too: some entry has waited for long enough, or everything is to be sent. */
  #due = false
  #draining = false
  /** Between flush and snapshot: what is sent meanwhile would be in neither. */
  #held = false
  #dueTimer: NodeJS.Timeout | undefined
  /** Nothing is sent until it is over. */
  #pauseTimer: NodeJS.Timeout | undefined
  #available = true
  #failure: { readonly error: unknown } | undefined
  #waiting: { readonly until: () => boolean; resolve(): void; reject(error: unknown): void } | undefined
  #closed = false

  constructor(
    options: AsyncSinkWriterOptions,
    dependencies: AsyncSinkWriterDependencies<T, Entry>,
    restored: readonly Entry[],
  ) {
    this.#options = options
    this.#ports = dependencies
    this.#inFlightLimit = options.maxInFlightRequests
    this.#buffer = [...restored]
    if (restored.length > 0) this.#sendSoon()
  }

  write(value: T): void {
    // A checkpoint that was given up has no snapshot.
    this.#held = false
    this.#buffer.push(this.#ports.toEntry(value))
    if (this.#buffered >= this.#options.maxBatchSize) this.#pump()
    else this.#sendSoon()
    this.#regulate()
  }

  /** Before a checkpoint: what is on its way has arrived or waits again. At the end: all has arrived. */
  flush(endOfInput: boolean): Promise<void> | void {
    if (this.#failure !== undefined) throw this.#failure.error
    const until = endOfInput ? () => this.#inFlight === 0 && this.#buffered === 0 : () => this.#inFlight === 0
    this.#draining = endOfInput
    this.#held = !endOfInput
    this.#pump()
    if (until()) return undefined
    return new Promise((resolve, reject) => {
      this.#waiting = { until, resolve, reject }
    })
  }

  snapshotState(): readonly Entry[] {
    this.#held = false
    const waiting = this.#buffer.slice(this.#head)
    this.#pump()
    return waiting
  }

  /** Requests may take for ever, or be repeated for as long as the service is away. */
  cancel(): void {
    this.close()
    this.#waiting?.reject(new Error('the task was ended before its entries had arrived'))
    this.#waiting = undefined
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#dueTimer)
    clearTimeout(this.#pauseTimer)
    this.#aborting.abort()
  }

  get #buffered(): number {
    return this.#buffer.length - this.#head
  }

  #sendSoon(): void {
    this.#dueTimer ??= setTimeout(() => {
      this.#dueTimer = undefined
      this.#due = true
      this.#pump()
    }, this.#options.maxTimeInBufferMs)
  }

  /** Sends what may go now. */
  #pump(): void {
    const { maxBatchSize } = this.#options
    while (
      !this.#closed &&
      this.#failure === undefined &&
      this.#pauseTimer === undefined &&
      !this.#held &&
      this.#inFlight < this.#inFlightLimit &&
      this.#buffered > 0 &&
      (this.#due || this.#draining || this.#buffered >= maxBatchSize)
    ) {
      this.#send(this.#takeBatch())
    }
    if (this.#buffered === 0) {
      this.#due = false
      clearTimeout(this.#dueTimer)
      this.#dueTimer = undefined
    }
  }

  #takeBatch(): readonly Entry[] {
    const { maxBatchSize, maxBatchSizeBytes } = this.#options
    let bytes = 0
    let end = this.#head
    const limit = Math.min(this.#buffer.length, this.#head + maxBatchSize)
    while (end < limit) {
      bytes += this.#ports.sizeOf(this.#buffer[end] as Entry)
      // One entry goes alone, however large it is.
      if (bytes > maxBatchSizeBytes && end > this.#head) break
      end++
    }
    const batch = this.#buffer.slice(this.#head, end)
    this.#head = end
    if (this.#head === this.#buffer.length || this.#head > 4096) {
      this.#buffer = this.#buffer.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  #send(batch: readonly Entry[]): void {
    this.#inFlight++
    this.#inFlightEntries += batch.length
    const { submit, isFatal } = this.#ports
    const done = (again: readonly Entry[], error: unknown): void => {
      this.#inFlight--
      this.#inFlightEntries -= batch.length
      if (this.#closed) return
      if (again.length > 0) this.#retry(again, batch.length, error)
      else this.#succeeded()
      this.#pump()
      this.#settle()
      this.#regulate()
    }
    // What submit throws before its promise counts as a rejection.
    const request = async () => submit(batch, this.#aborting.signal)
    request().then(
      again => done(again ?? [], undefined),
      (error: unknown) => {
        if (!isFatal(error) || this.#closed) {
          done(batch, error)
          return
        }
        this.#fail(error, 1)
        done([], undefined)
      },
    )
  }

  #succeeded(): void {
    this.#failuresInARow = 0
    this.#inFlightLimit = Math.min(this.#options.maxInFlightRequests, this.#inFlightLimit + 1)
  }

  #retry(again: readonly Entry[], sent: number, error: unknown): void {
    // Some went through: the service works, but not as fast as this.
    this.#failuresInARow = again.length < sent ? 1 : this.#failuresInARow + 1
    this.#buffer = [...again, ...this.#buffer.slice(this.#head)]
    this.#head = 0
    this.#sendSoon()
    const { maxRetries, retryDelayMs, maxRetryDelayMs } = this.#options
    if (this.#failuresInARow > maxRetries) {
      this.#fail(error, this.#failuresInARow)
      return
    }
    this.#inFlightLimit = Math.max(1, Math.floor(this.#inFlightLimit / 2))
    const delayMs = Math.min(maxRetryDelayMs, retryDelayMs * 2 ** (this.#failuresInARow - 1))
    const fields = { entries: again.length, sent, attempt: this.#failuresInARow, delayMs, error }
    this.#ports.context.logger.warn(fields, 'Entries of a request failed and are sent again')
    clearTimeout(this.#pauseTimer)
    this.#pauseTimer = setTimeout(() => {
      this.#pauseTimer = undefined
      this.#due = true
      this.#pump()
    }, delayMs)
  }

  #fail(cause: unknown, attempts: number): void {
    const reason =
      cause instanceof Error ? cause.message : cause === undefined ? 'entries were refused' : String(cause)
    const error = AsyncSinkFailed({ attempts, reason }, cause)
    this.#failure ??= { error }
    if (this.#waiting === undefined) this.#ports.context.fail(error)
  }

  /** Ends a flush that has what it waits for. */
  #settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    if (this.#failure !== undefined) {
      this.#waiting = undefined
      waiting.reject(this.#failure.error)
    } else if (waiting.until()) {
      this.#waiting = undefined
      waiting.resolve()
    }
  }

  /** Takes records only while there is room for them. */
  #regulate(): void {
    const available = this.#buffered + this.#inFlightEntries < this.#options.maxBufferedEntries
    if (available === this.#available || this.#closed) return
    this.#available = available
    this.#ports.context.setAvailable(available)
  }
}
