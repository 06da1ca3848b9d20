import type { OperatorContext } from '../contract/stream-operator.ts'
import { InvalidFlatMapResult } from '../errors.ts'
import { describeValue } from '../functions/user-function-failure.ts'

/**
 * Makes an array of what a flatMap function returned, if it is no array yet.
 * @param failed makes the error for what a generator throws while it is read: it is user code
 */
export function spreadResults(
  context: Pick<OperatorContext, 'operatorName'>,
  failed: (thrown: unknown, record: unknown) => Error,
): (results: unknown, record: unknown) => unknown[] {
  return (results, record) => {
    if (
      typeof results === 'string' ||
      typeof (results as Iterable<unknown>)?.[Symbol.iterator] !== 'function'
    ) {
      throw InvalidFlatMapResult({ operator: context.operatorName, result: describeValue(results) })
    }
    // What a generator gives is emitted afterwards.
    try {
      return [...(results as Iterable<unknown>)]
    } catch (error) {
      throw failed(error, record)
    }
  }
}
