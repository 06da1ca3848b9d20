import type { JsonValue } from './json-value.ts'

/** Who is at fault: the job's author or operator, a system beyond our processes, or this project. */
export type ErrorDomain = 'user' | 'external' | 'internal'
/** Whether doing the same again later can help. Restart strategies read this, never messages. */
export type RetryHint = 'no' | 'backoff'

/**
 * Base of all errors of the project. `code` is stable and documented; `data` has the values seen.
 * Make them through {@link defineError}; over RPC code and data travel and the error is rebuilt.
 */
export class FlinkError extends Error {
  readonly code: string
  readonly domain: ErrorDomain
  readonly retry: RetryHint
  readonly data: { readonly [key: string]: JsonValue }

  constructor(
    description: { code: string; domain: ErrorDomain; retry: RetryHint },
    message: string,
    data: { readonly [key: string]: JsonValue },
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'FlinkError'
    this.code = description.code
    this.domain = description.domain
    this.retry = description.retry
    this.data = data
  }
}

/** Whether `error` is of this project, whichever copy of the module made it. */
export function isFlinkError(error: unknown): error is FlinkError {
  return (
    error instanceof FlinkError || (error instanceof Error && error.name === 'FlinkError' && 'code' in error)
  )
}

/** Makes errors of one code; `is` recognises them, also after a journey over RPC. */
export interface ErrorFactory<D extends { readonly [key: string]: JsonValue }> {
  (data: D, cause?: unknown): FlinkError
  readonly code: string
  is(error: unknown): boolean
}

/**
 * Declares one kind of error. The message says what failed, the values seen and what to change.
 * @example const SlotNotFound = defineError<{ slot: string }>({ code: 'taskmanager.slot-not-found',
 *   domain: 'internal', retry: 'no', message: (d) => `Slot ${d.slot} is not allocated here.` })
 */
export function defineError<D extends { readonly [key: string]: JsonValue }>(description: {
  code: string
  domain: ErrorDomain
  retry: RetryHint
  message: (data: D) => string
}): ErrorFactory<D> {
  const factory = (data: D, cause?: unknown): FlinkError => {
    const error = new FlinkError(description, withoutDoubleStops(description.message(data)), data, cause)
    Error.captureStackTrace?.(error, factory)
    return error
  }
  return Object.assign(factory, {
    code: description.code,
    is: (error: unknown): boolean => isFlinkError(error) && error.code === description.code,
  })
}

/** A message that is put into a sentence of another one brings its own end. */
function withoutDoubleStops(message: string): string {
  return message.replace(/(?<=[\p{L}\p{N})\]'"`])\.\.(?=\s|$)/gu, '.').replace(/(?<=[?!])\.(?=\s|$)/g, '')
}
