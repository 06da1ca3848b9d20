import { processContextOf } from '../builtin/process-context.ts'
import { userOutputOf } from '../builtin/user-output.ts'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { CoProcessFunction } from '../functions/co-functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** Operator of `connect(...).process(...)` without keys: side outputs and event time, no timers. */
export function coProcessOperator<A, B, R>(userFunction: CoProcessFunction<A, B, R>): OperatorFactory {
  return {
    kind: 'co-process',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const processContext = processContextOf(context, output)
      const processor = (method: 'processElement1' | 'processElement2'): Push =>
        context.generate<Push>(
          ['f', 'context', 'out', 'state', 'failed', 'rejectPromise'],
          `let first = true
return value => {
  let result
  try { result = f.${method}(value, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
}`,
          [
            userFunction,
            processContext,
            output.out,
            output.state,
            failureAtRecord(context, method),
            rejectPromise(context, method),
          ],
        )
      return {
        processElement: processor('processElement1'),
        processElement2: processor('processElement2'),
        ...lifecycleOf(userFunction, context, false),
      }
    },
  }
}
