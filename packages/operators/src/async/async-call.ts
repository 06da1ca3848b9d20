import type { AsyncContext, AsyncRetryStrategy, ResultFuture } from '../functions/async-functions.ts'

/** What an {@link AsyncCall} needs of its operator. */
export interface AsyncCallDependencies {
  /** Calls the user's function. */
  invoke(value: unknown, future: ResultFuture<unknown>, context: AsyncContext): unknown
  readonly retry: AsyncRetryStrategy | undefined
  schedule(delayMs: number, action: () => void): { cancel(): void }
  /** Called once, from anywhere: all tries are over. */
  done(outcome: CallOutcome): void
}

/** How a call ended. */
export type CallOutcome =
  | { readonly type: 'results'; readonly results: readonly unknown[] }
  | { readonly type: 'error'; readonly error: unknown }

/** The asynchronous work for one record, with its retries. Owner: the operator's slot thread. */
export class AsyncCall {
  readonly #dependencies: AsyncCallDependencies
  readonly #value: unknown
  readonly #timestamp: number
  // Made when it is asked for: many calls have no use for it.
  #abort: AbortController | undefined
  #abandoned: { readonly reason: unknown } | undefined
  #attempts = 0
  #over = false
  #pause: { cancel(): void } | undefined

  /** @param timestamp NaN for none */
  constructor(value: unknown, timestamp: number, dependencies: AsyncCallDependencies) {
    this.#value = value
    this.#timestamp = timestamp
    this.#dependencies = dependencies
  }

  /** The first try. */
  start(): void {
    this.#try()
  }

  /** Nothing that still comes counts. */
  abandon(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#pause?.cancel()
    this.#abandoned = { reason }
    this.#abort?.abort(reason)
  }

  #signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#abandoned !== undefined) this.#abort.abort(this.#abandoned.reason)
    return this.#abort.signal
  }

  #try(): void {
    const attempt = ++this.#attempts
    let settled = false
    const settle = (outcome: CallOutcome): void => {
      if (settled || this.#over) return
      settled = true
      this.#settled(outcome)
    }
    const future: ResultFuture<unknown> = {
      complete: results => settle(resultsOf(results)),
      completeExceptionally: error => settle({ type: 'error', error }),
    }
    const signalOf = (): AbortSignal => this.#signal()
    const context: AsyncContext = {
      get signal() {
        return signalOf()
      },
      timestamp: Number.isNaN(this.#timestamp) ? undefined : this.#timestamp,
      attempt,
    }
    let result: unknown
    try {
      result = this.#dependencies.invoke(this.#value, future, context)
    } catch (error) {
      settle({ type: 'error', error })
      return
    }
    if (!isPromiseLike(result)) {
      if (result !== undefined) settle(resultsOf(result))
      return
    }
    result.then(
      results => {
        if (results !== undefined) settle(resultsOf(results))
      },
      (error: unknown) => settle({ type: 'error', error }),
    )
  }

  #settled(outcome: CallOutcome): void {
    const { retry } = this.#dependencies
    let delayMs: number | undefined
    try {
      const again =
        retry?.canRetry(this.#attempts) === true &&
        (outcome.type === 'error' ? retry.retryOnError(outcome.error) : retry.retryOnResult(outcome.results))
      if (again) delayMs = retry.backoffMs(this.#attempts)
    } catch (error) {
      this.#end({ type: 'error', error })
      return
    }
    if (delayMs === undefined) {
      this.#end(outcome)
      return
    }
    this.#pause = this.#dependencies.schedule(delayMs, () => {
      this.#pause = undefined
      if (!this.#over) this.#try()
    })
  }

  #end(outcome: CallOutcome): void {
    this.#over = true
    this.#dependencies.done(outcome)
  }
}

/** The results as an array; a mistake of the user's becomes an error. */
export function resultsOf(results: unknown): CallOutcome {
  if (Array.isArray(results)) return { type: 'results', results }
  if (typeof results === 'object' && results !== null && Symbol.iterator in results) {
    try {
      return { type: 'results', results: [...(results as Iterable<unknown>)] }
    } catch (error) {
      return { type: 'error', error }
    }
  }
  const error = new TypeError(
    `gave ${typeof results === 'string' ? 'a string' : String(results)} where a list of results is expected: give [result]`,
  )
  return { type: 'error', error }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}
