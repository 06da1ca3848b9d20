import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { CoMapFunction } from '../functions/co-functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** Operator of `connect(...).map(...)`. `keyed`: both inputs are keyed, and the function may have keyed state. */
export function coMapOperator<A, B, R>(
  userFunction: CoMapFunction<A, B, R>,
  keySelectors?: readonly [(value: A) => unknown, (value: B) => unknown],
): OperatorFactory {
  return {
    kind: 'co-map',
    create(context: OperatorContext): StreamOperator {
      const processor = (
        method: 'map1' | 'map2',
        keySelector: ((value: never) => unknown) | undefined,
      ): Push =>
        context.generate<Push>(
          ['f', 'out', 'failed', 'rejectPromise', 'keyOf', 'backend', 'failedKey'],
          `let first = true
return value => {
  ${keySelector === undefined ? '' : 'try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }'}
  let result
  try { result = f.${method}(value) } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(result); first = false }
  out(result)
}`,
          [
            userFunction,
            context.out,
            failureAtRecord(context, method),
            rejectPromise(context, method),
            keySelector,
            keySelector === undefined ? undefined : context.keyedState,
            failureAtRecord(context, 'the key selector'),
          ],
        )
      return {
        processElement: processor('map1', keySelectors?.[0]),
        processElement2: processor('map2', keySelectors?.[1]),
        ...lifecycleOf(userFunction, context, keySelectors !== undefined),
      }
    },
  }
}
