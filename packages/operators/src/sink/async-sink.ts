import { InvalidArgument } from '../errors.ts'
import { type Duration, durationMs } from '../functions/duration.ts'
import { AsyncSinkWriter } from './async-sink-writer.ts'
import type { Sink, SinkWriter, SinkWriterContext } from './sink.ts'

/** Limits of an {@link AsyncSink}, each for one subtask. */
export interface AsyncSinkOptions {
  /** Entries of a request; 500 by default. */
  readonly maxBatchSize?: number
  /** Size of the entries of a request, as `sizeOfEntry` says; 5 MB by default. */
  readonly maxBatchSizeBytes?: number
  /** Requests at a time; 10 by default. Less while requests fail. */
  readonly maxInFlightRequests?: number
  /** Entries that wait or are on their way, beyond which no more records are taken; 10,000 by default. */
  readonly maxBufferedEntries?: number
  /** After which a request that is not full is sent; 5 s by default. */
  readonly maxTimeInBuffer?: Duration
  /** Pause after a failure; doubles with each one in a row up to `maxRetryDelay`. 100 ms by default. */
  readonly retryDelay?: Duration
  /** 10 s by default. */
  readonly maxRetryDelay?: Duration
  /** Failures in a row, without any entry that went through, after which the task fails; 10 by default. */
  readonly maxRetries?: number
}

/**
 * Base of sinks that send records in batches of asynchronous requests (to a database, a queue, an HTTP service), at
 * least once: what waits is part of checkpoints, and a checkpoint waits for requests that are on their way. Requests may
 * overtake each other. Entries that fail are sent again, after a pause that grows; a service that cannot keep up slows
 * the job down.
 * @example class Documents extends AsyncSink<Order, { id: string; body: string }> {
 *   toEntry(order: Order) { return { id: order.id, body: JSON.stringify(order) } }
 *   async submitRequestEntries(entries: readonly { id: string; body: string }[]) {
 *     const answer = await index.putAll(entries)
 *     return entries.filter((_, i) => answer.errors[i])
 *   }
 * }
 */
export abstract class AsyncSink<T, Entry> implements Sink<T, never, Entry> {
  readonly kind: string = 'async'
  readonly #options: AsyncSinkOptions

  /** @throws operators.invalid-argument, operators.invalid-duration */
  constructor(options: AsyncSinkOptions = {}) {
    for (const name of [
      'maxBatchSize',
      'maxBatchSizeBytes',
      'maxInFlightRequests',
      'maxBufferedEntries',
    ] as const) {
      const value = options[name]
      if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue
      throw InvalidArgument({
        what: `${name} of an async sink`,
        value: String(value),
        expected: 'a whole number from 1',
      })
    }
    if (options.maxRetries !== undefined && !(options.maxRetries >= 0)) {
      const value = String(options.maxRetries)
      throw InvalidArgument({
        what: 'maxRetries of an async sink',
        value,
        expected: 'a number from 0, or Infinity',
      })
    }
    this.#options = options
  }

  /** What is sent for a record: plain data. */
  abstract toEntry(value: T): Entry

  /**
   * Sends a request. Resolves with the entries that are to be sent again (nothing: all went through); rejecting means
   * all of them, unless {@link AsyncSink.isFatal} says otherwise.
   */
  abstract submitRequestEntries(
    entries: readonly Entry[],
    signal: AbortSignal,
  ): Promise<readonly Entry[]> | Promise<void>

  /** Whether another try is in vain: the task fails at once. */
  isFatal(_error: unknown): boolean {
    return false
  }

  /** In bytes, for `maxBatchSizeBytes`; 0 unless overridden. */
  sizeOfEntry(_entry: Entry): number {
    return 0
  }

  createWriter(context: SinkWriterContext, restored: readonly Entry[]): SinkWriter<T, never, Entry> {
    const { maxTimeInBuffer = 5000, retryDelay = 100, maxRetryDelay = 10_000 } = this.#options
    const maxBatchSize = this.#options.maxBatchSize ?? 500
    return new AsyncSinkWriter<T, Entry>(
      {
        maxBatchSize,
        maxBatchSizeBytes: this.#options.maxBatchSizeBytes ?? 5 * 2 ** 20,
        maxInFlightRequests: this.#options.maxInFlightRequests ?? 10,
        maxBufferedEntries: Math.max(maxBatchSize, this.#options.maxBufferedEntries ?? 10_000),
        maxTimeInBufferMs: durationMs(maxTimeInBuffer, 'maxTimeInBuffer of an async sink', 1),
        retryDelayMs: durationMs(retryDelay, 'retryDelay of an async sink', 1),
        maxRetryDelayMs: durationMs(maxRetryDelay, 'maxRetryDelay of an async sink', 1),
        maxRetries: this.#options.maxRetries ?? 10,
      },
      {
        toEntry: value => this.toEntry(value),
        submit: (entries, signal) => this.submitRequestEntries(entries, signal),
        isFatal: error => this.isFatal(error),
        sizeOf: entry => this.sizeOfEntry(entry),
        context,
      },
      restored,
    )
  }
}
