import { type SerializedError, serializeError } from '@flink-ts/common'
import type { RpcHandlers } from '../endpoint/rpc-session.ts'
import { PayloadTooLarge, UnknownMethod } from '../errors.ts'
import type { Call, Reply } from '../gen/session.ts'
import { decodePayload, encodePayload } from '../payload/payload-codec.ts'

/** What a handler came to. */
export type CallResult = { readonly value: unknown } | { readonly error: unknown }

/**
 * Calls the handler that `call` names and answers what it returns. Nothing that every object inherits can be called.
 * Throws `rpc.unknown-method`, and what the handler throws.
 * @param servedAs what the peer knows these handlers as, for messages
 */
export function invoke(handlers: RpcHandlers, call: Call, servedAs: string): unknown {
  const { method } = call
  const found: unknown =
    method in Object.prototype ? undefined : (handlers as Record<string, unknown>)[method]
  if (typeof found !== 'function') throw UnknownMethod({ method, endpoint: servedAs })
  return found.apply(handlers, decodePayload(call.arguments) as unknown[])
}

/** A result as it travels; one that cannot travel becomes the error that says so. Never throws. */
export function encodeOutcome(
  method: string,
  result: CallResult,
  maxMessageBytes: number,
): NonNullable<Reply['outcome']> {
  if ('error' in result) return { case: 'error', value: encodePayload(plainError(result.error)) }
  try {
    const value = encodePayload(result.value, `result of ${method}`)
    checkSize(method, value, maxMessageBytes)
    return { case: 'value', value }
  } catch (error) {
    return { case: 'error', value: encodePayload(plainError(error)) }
  }
}

/** Throws `rpc.payload-too-large`. */
export function checkSize(method: string, bytes: Uint8Array, maxBytes: number): void {
  if (bytes.length > maxBytes) throw PayloadTooLarge({ method, sizeBytes: bytes.length, maxBytes })
}

function plainError(failure: unknown): SerializedError {
  const plain = serializeError(failure)
  try {
    encodePayload(plain)
    return plain
  } catch {
    // The data of this error, or of a cause, holds something that cannot travel; message and stack can.
    const { name, message, stack, code, domain, retry } = plain
    return { name, message, stack, code, domain, retry }
  }
}
