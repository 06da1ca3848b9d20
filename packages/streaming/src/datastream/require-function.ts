import { AsyncFunctionNotSupported, isAsyncFunction } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'

/** What a user's function may be. */
export interface FunctionDemands {
  /** An object with the method; a plain function will not do. */
  readonly objectOnly?: boolean
  /** May return a promise. */
  readonly mayBeAsync?: boolean
}

/** Programs without type checks get a message at their own line instead of one from the first record. */
export function requireFunction(
  call: string,
  method: string,
  userFunction: unknown,
  demands: FunctionDemands | true = {},
): void {
  const { objectOnly = false, mayBeAsync = false } = demands === true ? { objectOnly: true } : demands
  const isPlain = typeof userFunction === 'function' && !objectOnly
  const called = isPlain ? userFunction : (userFunction as Record<string, unknown> | undefined)?.[method]
  if (typeof called !== 'function') {
    const object = `an object with the method ${method}`
    const expected = objectOnly ? object : `a function, or ${object}`
    throw InvalidArgument({ call, value: String(userFunction), expected })
  }
  if (!mayBeAsync && isAsyncFunction(called)) {
    throw AsyncFunctionNotSupported({ operator: call, function: `The function given to ${call}` })
  }
}
