import { KeyedContext, timerCall } from '../builtin/keyed-process-context.ts'
import { userOutputOf } from '../builtin/user-output.ts'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { KeyedCoProcessFunction } from '../functions/co-functions.ts'
import type { KeySelector } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'

/** Operator of `connect(...).process(...)` with keys: both inputs share state and timers of a key. */
export function keyedCoProcessOperator<K, A, B, R>(
  keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>],
  userFunction: KeyedCoProcessFunction<K, A, B, R>,
): OperatorFactory {
  return { kind: 'keyed-co-process', create: context => create(context, keySelectors, userFunction) }
}

function create<K, A, B, R>(
  context: OperatorContext,
  keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>],
  userFunction: KeyedCoProcessFunction<K, A, B, R>,
): StreamOperator {
  const output = userOutputOf(context)
  const timers = new InternalTimerService(context, 'user-timers', {
    eventTime: timestamp => fireEventTime(timestamp),
    processingTime: timestamp => fireProcessingTime(timestamp),
  })
  const processContext = new KeyedContext<K>(context, timers, output)
  const fireEventTime = timerCall(context, userFunction, processContext, output, 'event-time')
  const fireProcessingTime = timerCall(context, userFunction, processContext, output, 'processing-time')
  const processor = (
    method: 'processElement1' | 'processElement2',
    keySelector: KeySelector<never, K>,
  ): Push =>
    context.generate<Push>(
      ['f', 'keyOf', 'backend', 'context', 'out', 'state', 'failed', 'failedKey', 'rejectPromise'],
      `let first = true
return value => {
  try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }
  let result
  try { result = f.${method}(value, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
}`,
      [
        userFunction,
        keySelector,
        context.keyedState,
        processContext,
        output.out,
        output.state,
        failureAtRecord(context, method),
        failureAtRecord(context, 'the key selector'),
        rejectPromise(context, method),
      ],
    )
  return {
    processElement: processor('processElement1', keySelectors[0]),
    processElement2: processor('processElement2', keySelectors[1]),
    ...lifecycleOf(userFunction, context, true, {
      open: () => timers.open(),
      snapshotState: () => timers.snapshot(),
      close: () => timers.close(),
    }),
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
  }
}
