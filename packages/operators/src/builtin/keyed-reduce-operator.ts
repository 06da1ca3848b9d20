import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { KeySelector, ReduceFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/**
 * Operator of `keyBy(...).reduce(...)`: emits the running value of the key for each record. Finds the key itself; the
 * current key of the backend is not needed.
 */
export function keyedReduceOperator<T>(
  keySelector: KeySelector<T, unknown>,
  reducer: ReduceFunction<T>,
): OperatorFactory {
  const plain = typeof reducer === 'function'
  return {
    kind: 'keyed-reduce',
    create(context: OperatorContext): StreamOperator {
      const table = context.keyedState
        .namespacedState<T>({ kind: 'reducing', name: 'reduce' })
        .table(undefined)
      const processElement = context.generate<Push>(
        ['f', 'keyOf', 'table', 'out', 'failed', 'failedKey', 'rejectPromise'],
        `let first = true
return value => {
  let key, entry
  try { key = keyOf(value); entry = table.find(key) } catch (error) { throw failedKey(error, value) }
  if (entry === undefined) { table.insert(key, value); out(value); return }
  let next
  try { next = ${plain ? 'f(entry.value, value)' : 'f.reduce(entry.value, value)'} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  entry.value = next
  out(next)
}`,
        [
          reducer,
          keySelector,
          table,
          context.out,
          failureAtRecord(context, 'the reduce function'),
          failureAtRecord(context, 'the key selector'),
          rejectPromise(context, 'The reduce function'),
        ],
      )
      return { processElement, emitsOneEach: true, ...lifecycleOf(reducer, context, true) }
    },
  }
}
