import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { OutputTag } from '../functions/collector.ts'
import type {
  KeyedProcessFunction,
  KeySelector,
  OnTimerContext,
  TimerService,
} from '../functions/functions.ts'
import { runtimeContextOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise, userFunctionFailure } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { type UserOutput, userOutputOf } from './user-output.ts'

type Domain = 'event-time' | 'processing-time'

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
  const onTimer = (domain: Domain) =>
    context.generate<(timestamp: number) => void>(
      ['f', 'context', 'out', 'state', 'failed', 'domain', 'hasOnTimer'],
      `return timestamp => {
  if (!hasOnTimer) return
  context.timeDomain = domain
  context.timerTimestamp = timestamp
  try { f.onTimer(timestamp, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, domain, timestamp)
  } finally { context.timerTimestamp = undefined }
  if (state.failed) throw state.error
}`,
      [
        userFunction,
        processContext,
        output.out,
        output.state,
        (error: unknown, timerDomain: Domain, timestamp: number) =>
          userFunctionFailure(context, 'onTimer', error, `${timerDomain} timer ${timestamp}`),
        domain,
        typeof userFunction.onTimer === 'function',
      ],
    )
  const timers = new InternalTimerService(context, 'user-timers', {
    eventTime: timestamp => fireEventTime(timestamp),
    processingTime: timestamp => fireProcessingTime(timestamp),
  })
  const processContext = new KeyedContext<K>(context, timers, output)
  const fireEventTime = onTimer('event-time')
  const fireProcessingTime = onTimer('processing-time')
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
    open: async () => {
      await userFunction.open?.(runtimeContextOf(context, true))
      timers.open()
    },
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
    close: async () => {
      timers.close()
      await userFunction.close?.()
    },
  }
}

/** What the user's function sees of the record or timer being processed: one object for each operator instance. */
class KeyedContext<K> implements OnTimerContext<K> {
  readonly timerService: TimerService
  timeDomain: Domain = 'event-time'
  /** Set while a timer fires. */
  timerTimestamp: number | undefined = undefined
  readonly #context: OperatorContext
  readonly #output: UserOutput

  constructor(context: OperatorContext, timers: InternalTimerService, output: UserOutput) {
    this.#context = context
    this.#output = output
    this.timerService = {
      currentWatermark: () => timers.currentWatermark(),
      currentProcessingTime: () => context.processingTime(),
      registerEventTimeTimer: timestamp => timers.registerEventTime(undefined, timestamp),
      deleteEventTimeTimer: timestamp => timers.deleteEventTime(undefined, timestamp),
      registerProcessingTimeTimer: timestamp => timers.registerProcessingTime(undefined, timestamp),
      deleteProcessingTimeTimer: timestamp => timers.deleteProcessingTime(undefined, timestamp),
    }
  }

  get currentKey(): K {
    return this.#context.keyedState.currentKey() as K
  }

  timestamp(): number | undefined {
    if (this.timerTimestamp !== undefined) return this.timerTimestamp
    const timestamp = this.#context.timestamp[0] as number
    return Number.isNaN(timestamp) ? undefined : timestamp
  }

  output<O>(tag: OutputTag<O>, value: O): void {
    this.#output.sideOutput(tag.id)(value)
  }
}
