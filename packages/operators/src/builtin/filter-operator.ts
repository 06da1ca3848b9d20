import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { FilterFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** Operator of `filter`. */
export function filterOperator<T>(filter: FilterFunction<T>): OperatorFactory {
  const plain = typeof filter === 'function'
  return {
    kind: 'filter',
    create(context: OperatorContext): StreamOperator {
      const processElement = context.generate<Push>(
        ['f', 'out', 'failed', 'rejectPromise'],
        `let first = true
return value => {
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
        ],
      )
      return { processElement, ...lifecycleOf(filter, context, false) }
    },
  }
}
