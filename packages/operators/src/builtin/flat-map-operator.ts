import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { FlatMapFunction, KeySelector } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { currentKeyStep } from './current-key.ts'
import { spreadResults } from './spread-results.ts'
import { userOutputOf } from './user-output.ts'

/**
 * Operator of `flatMap`: results go to the collector, or are returned as an iterable, or both in this order.
 * @param keySelector the function may have keyed state
 */
export function flatMapOperator<T, R>(
  flatMapper: FlatMapFunction<T, R>,
  keySelector?: KeySelector<T, unknown>,
): OperatorFactory {
  const plain = typeof flatMapper === 'function'
  return {
    kind: 'flat-map',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const failed = failureAtRecord(context, 'the flatMap function')
      const key = currentKeyStep(context, keySelector)
      const processElement = context.generate<Push>(
        ['f', 'out', 'collector', 'state', 'failed', 'spread', 'rejectPromise', ...key.names],
        `let first = true
const isArray = Array.isArray
return value => {
  ${key.source}
  let results
  try { results = ${plain ? 'f(value, collector)' : 'f.flatMap(value, collector)'} } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(results); first = false }
  if (results === undefined) return
  if (!isArray(results)) results = spread(results, value)
  for (let i = 0; i < results.length; i++) out(results[i])
}`,
        [
          flatMapper,
          context.out,
          output.out,
          output.state,
          failed,
          spreadResults(context, failed),
          rejectPromise(context, 'The flatMap function'),
          ...key.values,
        ],
      )
      return { processElement, ...lifecycleOf(flatMapper, context, keySelector !== undefined) }
    },
  }
}
