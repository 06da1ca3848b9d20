import { inspect } from 'node:util'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { AsyncFunctionNotSupported, RecordChanged, UserFunctionFailed } from '../errors.ts'

/** A value in a few words, for messages. Never throws. */
export function describeValue(value: unknown): string {
  try {
    const text = inspect(value, {
      depth: 2,
      breakLength: Infinity,
      maxStringLength: 100,
      maxArrayLength: 10,
      customInspect: false,
    })
    return text.length > 300 ? `${text.slice(0, 300)}...` : text
  } catch {
    // A getter or proxy of the user's that throws must not hide the error being described.
    return `a ${typeof value} that cannot be shown`
  }
}

/**
 * Makes the error for what user code threw: message and stack are the user's first, `cause` is the original.
 * @param functionName for the message: `the map function`
 * @param input what was processed: `record {...}`
 */
export function userFunctionFailure(
  context: Pick<OperatorContext, 'operatorName' | 'subtaskIndex' | 'recordsChecked'>,
  functionName: string,
  thrown: unknown,
  input: string,
): Error {
  if (AsyncFunctionNotSupported.is(thrown)) return thrown as Error
  const field = context.recordsChecked === true ? fieldOfFrozenObject(thrown) : undefined
  if (field !== undefined) {
    const { operatorName: operator, subtaskIndex: subtask } = context
    const failure = RecordChanged({ operator, function: functionName, subtask, field, input }, thrown)
    return withStackOf(failure, thrown)
  }
  const message = thrown instanceof Error ? thrown.message || thrown.name : describeValue(thrown)
  const failure = UserFunctionFailed(
    {
      operator: context.operatorName,
      function: functionName,
      subtask: context.subtaskIndex,
      input,
      error: message,
    },
    thrown,
  )
  return withStackOf(failure, thrown)
}

/** How V8 says that somebody writes to a frozen object; the field is in the first group. */
const WRITES_TO_FROZEN = [
  /^Cannot assign to read only property '(.+)' of object/,
  /^Cannot (?:add|define) property (.+), object is not extensible$/,
  /^Cannot delete property '(.+)' of /,
  /^Cannot redefine property: (.+)$/,
]

function fieldOfFrozenObject(thrown: unknown): string | undefined {
  if (!(thrown instanceof TypeError)) return undefined
  for (const pattern of WRITES_TO_FROZEN) {
    const field = pattern.exec(thrown.message)?.[1]
    if (field !== undefined) return field
  }
  return undefined
}

/** Gives `error` the stack of what was thrown, if that has one: the user's code comes first. Returns `error`. */
export function withStackOf(error: Error, thrown: unknown): Error {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : ''
  const frames = stack.search(/\n\s+at /)
  if (frames >= 0) error.stack = `${error.name}: ${error.message}${stack.slice(frames)}`
  return error
}

const KEY_SELECTOR = 'the key selector'

/** The failure of a function at a record: bound to one operator, called from generated code. */
export function failureAtRecord(
  context: Pick<OperatorContext, 'operatorName' | 'subtaskIndex' | 'recordsChecked' | 'keyPlace'>,
  functionName: string,
): (thrown: unknown, record: unknown) => Error {
  const { keyPlace } = context
  // That a key is invalid is found where nothing of the user's is on the stack.
  const name =
    functionName === KEY_SELECTOR && keyPlace !== undefined
      ? `${functionName} (at ${keyPlace})`
      : functionName
  return (thrown, record) => userFunctionFailure(context, name, thrown, `record ${describeValue(record)}`)
}

/** Throws if a result is a promise. Called with the first result of an operator only. */
export function rejectPromise(
  context: Pick<OperatorContext, 'operatorName'>,
  functionName: string,
): (result: unknown) => void {
  return result => {
    if (!isPromiseLike(result)) return
    // The error below is what the user sees; the promise's own end no longer matters.
    Promise.resolve(result).catch(() => undefined)
    throw AsyncFunctionNotSupported({ operator: context.operatorName, function: functionName })
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

const AsyncFunction = (async () => undefined).constructor

/** Whether a function is written with `async`: known before the first record. */
export function isAsyncFunction(userFunction: unknown): boolean {
  return typeof userFunction === 'function' && userFunction instanceof AsyncFunction
}
