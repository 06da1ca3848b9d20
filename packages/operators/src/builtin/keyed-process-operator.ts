import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { KeyedProcessFunction, KeySelector } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { KeyedContext, timerCall } from './keyed-process-context.ts'
import { userOutputOf } from './user-output.ts'

/** Operator of `keyBy(...).process(...)`: state bound to the key of the record, timers, side outputs. */
export function keyedProcessOperator<K, T, R>(
  keySelector: KeySelector<T, K>,
  userFunction: KeyedProcessFunction<K, T, R>,
): OperatorFactory {
  return { kind: 'keyed-process', create: context => createKeyedProcess(context, keySelector, userFunction) }
}

function createKeyedProcess<K, T, R>(
  context: OperatorContext,
  keySelector: KeySelector<T, K>,
  userFunction: KeyedProcessFunction<K, T, R>,
): StreamOperator {
  const backend = context.keyedState
  const output = userOutputOf(context)
  const timers = new InternalTimerService(context, 'user-timers', {
    eventTime: timestamp => fireEventTime(timestamp),
    processingTime: timestamp => fireProcessingTime(timestamp),
  })
  const processContext = new KeyedContext<K>(context, timers, output)
  const fireEventTime = timerCall(context, userFunction, processContext, output, 'event-time')
  const fireProcessingTime = timerCall(context, userFunction, processContext, output, 'processing-time')
  const processElement = context.generate<Push>(
    ['f', 'keyOf', 'backend', 'context', 'out', 'state', 'failed', 'failedKey', 'rejectPromise'],
    `let first = true
return value => {
  try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }
  let result
  try { result = f.processElement(value, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
}`,
    [
      userFunction,
      keySelector,
      backend,
      processContext,
      output.out,
      output.state,
      failureAtRecord(context, 'processElement'),
      failureAtRecord(context, 'the key selector'),
      rejectPromise(context, 'processElement'),
    ],
  )
  return {
    processElement,
    ...lifecycleOf(userFunction, context, true, {
      open: () => timers.open(),
      snapshotState: () => timers.snapshot(),
      close: () => timers.close(),
    }),
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
  }
}
