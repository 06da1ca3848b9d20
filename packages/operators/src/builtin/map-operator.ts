import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { KeySelector, MapFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { currentKeyStep } from './current-key.ts'

/** Operator of `map`. The record's timestamp stays. `keySelector`: the function may have keyed state. */
export function mapOperator<T, R>(
  mapper: MapFunction<T, R>,
  keySelector?: KeySelector<T, unknown>,
): OperatorFactory {
  const plain = typeof mapper === 'function'
  return {
    kind: 'map',
    create(context: OperatorContext): StreamOperator {
      const key = currentKeyStep(context, keySelector)
      const processElement = context.generate<Push>(
        ['f', 'out', 'failed', 'rejectPromise', ...key.names],
        `let first = true
return value => {
  ${key.source}
  let result
  try { result = ${plain ? 'f(value)' : 'f.map(value)'} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(result); first = false }
  out(result)
}`,
        [
          mapper,
          context.out,
          failureAtRecord(context, 'the map function'),
          rejectPromise(context, 'The map function'),
          ...key.values,
        ],
      )
      return {
        processElement,
        emitsOneEach: true,
        ...lifecycleOf(mapper, context, keySelector !== undefined),
      }
    },
  }
}
