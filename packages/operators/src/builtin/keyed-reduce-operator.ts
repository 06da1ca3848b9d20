import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { KeySelector, ReduceFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/**
 * Operator of `keyBy(...).reduce(...)`: emits the running value of the key for each record. Finds the key itself; the
 * current key of the backend is not needed.
 * @param options `checksFirst`: the first record of a key is combined with itself too, for the errors of the function
 *   only, which must have no other effects: otherwise a record that it cannot take fails with the second one
 */
export function keyedReduceOperator<T>(
  keySelector: KeySelector<T, unknown>,
  reducer: ReduceFunction<T>,
  { checksFirst = false }: { readonly checksFirst?: boolean } = {},
): OperatorFactory {
  const plain = typeof reducer === 'function'
  const call = (left: string): string => (plain ? `f(${left}, value)` : `f.reduce(${left}, value)`)
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
  if (entry === undefined) {
    ${checksFirst ? `try { ${call('value')} } catch (error) { throw failed(error, value) }` : ''}
    table.insert(key, value); out(value); return
  }
  let next
  try { next = ${call('entry.value')} } catch (error) { throw failed(error, value) }
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
