import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { FilterFunction, KeySelector } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { currentKeyStep } from './current-key.ts'

/** Operator of `filter`. `keySelector`: the function may have keyed state. */
export function filterOperator<T>(
  filter: FilterFunction<T>,
  keySelector?: KeySelector<T, unknown>,
): OperatorFactory {
  const plain = typeof filter === 'function'
  return {
    kind: 'filter',
    create(context: OperatorContext): StreamOperator {
      const key = currentKeyStep(context, keySelector)
      const processElement = context.generate<Push>(
        ['f', 'out', 'failed', 'rejectPromise', ...key.names],
        `let first = true
return value => {
  ${key.source}
  let keep
  try { keep = ${plain ? 'f(value)' : 'f.filter(value)'} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(keep); first = false }
  if (keep) out(value)
}`,
        [
          filter,
          context.out,
          failureAtRecord(context, 'the filter function'),
          rejectPromise(context, 'The filter function'),
          ...key.values,
        ],
      )
      return { processElement, ...lifecycleOf(filter, context, keySelector !== undefined) }
    },
  }
}
