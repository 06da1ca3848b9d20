import type { OperatorContext } from '../contract/stream-operator.ts'
import { TimerOutsideKeyBy } from '../errors.ts'
import type { ProcessContext } from '../functions/functions.ts'
import type { UserOutput } from './user-output.ts'

/** What a user's function sees of a record of a stream without keys: side outputs and times, no timers. */
export function processContextOf(context: OperatorContext, output: UserOutput): ProcessContext {
  const noTimers = (): never => {
    throw TimerOutsideKeyBy({ operator: context.operatorName })
  }
  return {
    timestamp: () => {
      const timestamp = context.timestamp[0] as number
      return Number.isNaN(timestamp) ? undefined : timestamp
    },
    timerService: {
      currentWatermark: () => context.currentWatermark(),
      currentProcessingTime: () => context.processingTime(),
      registerEventTimeTimer: noTimers,
      deleteEventTimeTimer: noTimers,
      registerProcessingTimeTimer: noTimers,
      deleteProcessingTimeTimer: noTimers,
    },
    output: (tag, value) => output.sideOutput(tag.id)(value),
  }
}
