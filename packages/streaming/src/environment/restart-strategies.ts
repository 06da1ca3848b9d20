import type { RestartStrategy } from '@flink-ts/jobgraph'
import { type Duration, durationMs } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'

/** Makes restart strategies for {@link StreamExecutionEnvironment.setRestartStrategy}. */
export const RestartStrategies = {
  /** A failed job stays failed. */
  noRestart(): RestartStrategy {
    return { type: 'none' }
  },

  /** Starts a failed job again, at most `attempts` times, `delay` after the failure. */
  fixedDelayRestart(attempts: number, delay: Duration): RestartStrategy {
    const call = 'RestartStrategies.fixedDelayRestart'
    if (!(Number.isInteger(attempts) || attempts === Infinity) || attempts < 0) {
      throw InvalidArgument({ call, value: String(attempts), expected: 'a whole number of attempts from 0' })
    }
    // Plain data has no Infinity.
    const limited = Math.min(attempts, Number.MAX_SAFE_INTEGER)
    return { type: 'fixed-delay', attempts: limited, delayMs: durationMs(delay, call) }
  },
} as const
