import type { OperatorContext } from '../contract/stream-operator.ts'
import type { OutputTag } from '../functions/collector.ts'
import type { OnTimerContext, TimerService } from '../functions/functions.ts'
import { userFunctionFailure } from '../functions/user-function-failure.ts'
import type { InternalTimerService } from '../timers/internal-timer-service.ts'
import type { UserOutput } from './user-output.ts'

/** Which clock a timer follows. */
export type TimeDomain = 'event-time' | 'processing-time'

/** What a user's keyed function sees of the record or timer being processed: one object for each operator instance. */
export class KeyedContext<K> implements OnTimerContext<K> {
  readonly timerService: TimerService
  timeDomain: TimeDomain = 'event-time'
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

/** Calls the user's `onTimer` for timers of one domain. `processContext`: what the function sees. */
export function timerCall<K>(
  context: OperatorContext,
  userFunction: { onTimer?: unknown },
  processContext: KeyedContext<K>,
  output: UserOutput,
  domain: TimeDomain,
): (timestamp: number) => void {
  return context.generate<(timestamp: number) => void>(
    ['f', 'context', 'out', 'state', 'failed', 'domain', 'hasOnTimer'],
    `return timestamp => {
  if (!hasOnTimer) return
  context.timeDomain = domain
  context.timerTimestamp = timestamp
  try { f.onTimer(timestamp, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, timestamp)
  } finally { context.timerTimestamp = undefined }
  if (state.failed) throw state.error
}`,
    [
      userFunction,
      processContext,
      output.out,
      output.state,
      (error: unknown, timestamp: number) =>
        userFunctionFailure(context, 'onTimer', error, `${domain} timer ${timestamp}`),
      domain,
      typeof userFunction.onTimer === 'function',
    ],
  )
}
