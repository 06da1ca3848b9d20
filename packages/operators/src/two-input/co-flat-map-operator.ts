import { spreadResults } from '../builtin/spread-results.ts'
import { userOutputOf } from '../builtin/user-output.ts'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { CoFlatMapFunction } from '../functions/co-functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** Operator of `connect(...).flatMap(...)`. With key selectors the function may have keyed state. */
export function coFlatMapOperator<A, B, R>(
  userFunction: CoFlatMapFunction<A, B, R>,
  keySelectors?: readonly [(value: A) => unknown, (value: B) => unknown],
): OperatorFactory {
  return {
    kind: 'co-flat-map',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const processor = (
        method: 'flatMap1' | 'flatMap2',
        keySelector: ((value: never) => unknown) | undefined,
      ): Push => {
        const failed = failureAtRecord(context, method)
        return context.generate<Push>(
          [
            'f',
            'out',
            'collector',
            'state',
            'failed',
            'spread',
            'rejectPromise',
            'keyOf',
            'backend',
            'failedKey',
          ],
          `let first = true
const isArray = Array.isArray
return value => {
  ${keySelector === undefined ? '' : 'try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }'}
  let results
  try { results = f.${method}(value, collector) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(results); first = false }
  if (results === undefined) return
  if (!isArray(results)) results = spread(results, value)
  for (let i = 0; i < results.length; i++) out(results[i])
}`,
          [
            userFunction,
            context.out,
            output.out,
            output.state,
            failed,
            spreadResults(context, failed),
            rejectPromise(context, method),
            keySelector,
            keySelector === undefined ? undefined : context.keyedState,
            failureAtRecord(context, 'the key selector'),
          ],
        )
      }
      return {
        processElement: processor('flatMap1', keySelectors?.[0]),
        processElement2: processor('flatMap2', keySelectors?.[1]),
        ...lifecycleOf(userFunction, context, keySelectors !== undefined),
      }
    },
  }
}
