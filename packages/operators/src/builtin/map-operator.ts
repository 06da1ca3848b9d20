import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { MapFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** Operator of `map`. The record's timestamp stays. */
export function mapOperator<T, R>(mapper: MapFunction<T, R>): OperatorFactory {
  const plain = typeof mapper === 'function'
  return {
    kind: 'map',
    create(context: OperatorContext): StreamOperator {
      const processElement = context.generate<Push>(
        ['f', 'out', 'failed', 'rejectPromise'],
        `let first = true
return value => {
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
        ],
      )
      return { processElement, emitsOneEach: true, ...lifecycleOf(mapper, context, false) }
    },
  }
}
