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

/** Turns anything thrown into plain data; causes are followed up to a depth of 16. */
export function serializeError(thrown: unknown, depth = 0): SerializedError {
  if (!(thrown instanceof Error)) return { name: 'NonError', message: describe(thrown) }
  const cause =
    thrown.cause === undefined || depth >= MAX_CAUSES ? undefined : serializeError(thrown.cause, depth + 1)
  const plain = { name: thrown.name, message: thrown.message, stack: thrown.stack, cause }
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
