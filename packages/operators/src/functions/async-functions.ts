import { type Duration, durationMs } from './duration.ts'
import type { RichFunction } from './rich-function.ts'

/** Takes the results of one asynchronous call. Only the first call counts; what comes after a timeout is ignored. */
export interface ResultFuture<R> {
  complete(results: Iterable<R>): void
  /** Fails the job, unless the retry strategy says otherwise. */
  completeExceptionally(error: unknown): void
}

/** Surroundings of one asynchronous call. */
export interface AsyncContext {
  /** Aborted when the call timed out or the task ends: hand it to `fetch` and the like. */
  readonly signal: AbortSignal
  /** Event time of the record; undefined if it has none. */
  readonly timestamp: number | undefined
  /** From 1; higher in retries. */
  readonly attempt: number
}

// biome-ignore lint/suspicious/noConfusingVoidType: results may also be given to the future
type Results<R> = Iterable<R> | void

/**
 * Asynchronous work for each record, many at a time. Results are what the promise gives, or what is handed to
 * `resultFuture` (callbacks). A rejection fails the job, unless a retry strategy says otherwise.
 * @example const lookup: AsyncFunction<Order, Customer> = {
 *   asyncInvoke: async (order, _future, { signal }) => [await customers.find(order.customer, signal)],
 * }
 */
export interface AsyncFunction<T, R> extends RichFunction {
  asyncInvoke(
    value: T,
    resultFuture: ResultFuture<R>,
    context: AsyncContext,
  ): Promise<Results<R>> | Results<R>
  /** Gives the results of a record whose time is up. Absent: the job fails. */
  timeout?(value: T, resultFuture: ResultFuture<R>): void
}

/** One result for each record, by a promise. */
export type AsyncMapFunction<T, R> =
  | ((value: T, context: AsyncContext) => Promise<R>)
  | (RichFunction & { map(value: T, context: AsyncContext): Promise<R> })

/** Whether and when an asynchronous call is tried again. */
export interface AsyncRetryStrategy<R = unknown> {
  /** @param attempts tries so far, from 1 */
  canRetry(attempts: number): boolean
  /** Milliseconds from the failure of try number `attempts` to the next one. */
  backoffMs(attempts: number): number
  retryOnError(error: unknown): boolean
  retryOnResult(results: readonly R[]): boolean
}

/** What is tried again. Neither given: every error. */
export interface AsyncRetryPredicates<R> {
  readonly ifError?: (error: unknown) => boolean
  readonly ifResult?: (results: readonly R[]) => boolean
}

/** Makes retry strategies for asynchronous functions. */
export const AsyncRetryStrategies = {
  /**
   * Up to `maxRetries` further tries, `delay` after each failure.
   * @example AsyncRetryStrategies.fixedDelay(3, '100 ms', { ifError: error => !(error instanceof NotFound) })
   */
  fixedDelay<R = unknown>(
    maxRetries: number,
    delay: Duration,
    predicates: AsyncRetryPredicates<R> = {},
  ): AsyncRetryStrategy<R> {
    const delayMs = durationMs(delay, 'AsyncRetryStrategies.fixedDelay')
    return strategy(maxRetries, () => delayMs, predicates)
  },

  /** Up to `maxRetries` further tries; the delay grows by `multiplier` from `initialDelay` up to `maxDelay`. */
  exponentialBackoff<R = unknown>(
    maxRetries: number,
    delays: { readonly initialDelay: Duration; readonly maxDelay: Duration; readonly multiplier?: number },
    predicates: AsyncRetryPredicates<R> = {},
  ): AsyncRetryStrategy<R> {
    const call = 'AsyncRetryStrategies.exponentialBackoff'
    const initialMs = durationMs(delays.initialDelay, call)
    const maxMs = durationMs(delays.maxDelay, call)
    const multiplier = delays.multiplier ?? 2
    return strategy(
      maxRetries,
      attempts => Math.round(Math.min(maxMs, initialMs * multiplier ** (attempts - 1))),
      predicates,
    )
  },
} as const

function strategy<R>(
  maxRetries: number,
  backoffMs: (attempts: number) => number,
  { ifError, ifResult }: AsyncRetryPredicates<R>,
): AsyncRetryStrategy<R> {
  return {
    canRetry: attempts => attempts <= maxRetries,
    backoffMs,
    retryOnError: error => (ifError === undefined ? ifResult === undefined : ifError(error)),
    retryOnResult: results => ifResult?.(results) ?? false,
  }
}
