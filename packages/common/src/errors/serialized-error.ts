import { type ErrorDomain, FlinkError, isFlinkError, type RetryHint } from './flink-error.ts'
import type { JsonValue } from './json-value.ts'

/** An error as plain data, for messages between threads and processes. */
export interface SerializedError {
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: string | undefined
  readonly domain?: ErrorDomain | undefined
  readonly retry?: RetryHint | undefined
  readonly data?: { readonly [key: string]: JsonValue } | undefined
  readonly cause?: SerializedError | undefined
}

const MAX_CAUSES = 16

/** Turns anything thrown into plain data; causes are followed up to a depth of 16. Never throws. */
export function serializeError(thrown: unknown): SerializedError {
  return serialize(thrown, 0)
}

function serialize(thrown: unknown, depth: number): SerializedError {
  try {
    return fieldsOf(thrown, depth)
  } catch {
    // A getter, proxy or toString of the user's: whoever reports a failure must not fail at it.
    return { name: 'NonError', message: `a thrown ${typeof thrown} that cannot be shown` }
  }
}

function fieldsOf(thrown: unknown, depth: number): SerializedError {
  if (!(thrown instanceof Error)) return { name: 'NonError', message: describe(thrown) }
  const cause =
    thrown.cause === undefined || depth >= MAX_CAUSES ? undefined : serialize(thrown.cause, depth + 1)
  // Whatever user code has put there becomes text, which is what can be sent.
  const stack = thrown.stack === undefined ? undefined : String(thrown.stack)
  const plain = { name: String(thrown.name), message: String(thrown.message), stack, cause }
  return isFlinkError(thrown)
    ? { ...plain, code: thrown.code, domain: thrown.domain, retry: thrown.retry, data: thrown.data }
    : plain
}

/** The inverse of {@link serializeError}: the stack is the original one. */
export function deserializeError(plain: SerializedError): Error {
  const cause = plain.cause === undefined ? undefined : deserializeError(plain.cause)
  const error =
    plain.code === undefined
      ? new Error(plain.message, cause === undefined ? undefined : { cause })
      : new FlinkError(
          { code: plain.code, domain: plain.domain ?? 'internal', retry: plain.retry ?? 'no' },
          plain.message,
          plain.data ?? {},
          cause,
        )
  error.name = plain.name
  if (plain.stack !== undefined) error.stack = plain.stack
  return error
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  } catch {
    return String(thrown)
  }
}
