import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { ProcessFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { processContextOf } from './process-context.ts'
import { userOutputOf } from './user-output.ts'

/** Operator of `process` on a stream without keys: side outputs and event time, no timers. */
export function processOperator<T, R>(userFunction: ProcessFunction<T, R>): OperatorFactory {
  return {
    kind: 'process',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const processElement = context.generate<Push>(
        ['f', 'context', 'out', 'state', 'failed', 'rejectPromise'],
        `let first = true
return value => {
  let result
  try { result = f.processElement(value, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
}`,
        [
          userFunction,
          processContextOf(context, output),
          output.out,
          output.state,
          failureAtRecord(context, 'processElement'),
          rejectPromise(context, 'processElement'),
        ],
      )
      return { processElement, ...lifecycleOf(userFunction, context, false) }
    },
  }
}
