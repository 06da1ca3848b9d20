import { Configuration } from '@flink-ts/common'
import { exponentialDelayOf, type RestartStrategy } from '@flink-ts/jobgraph'
import { type Duration, durationMs } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'

/** Settings of the strategy exponential-delay, named as its configuration keys. */
export interface ExponentialDelay {
  /** Pause after the first failure. */
  readonly initialBackoff?: Duration
  readonly maxBackoff?: Duration
  /** By how much the pause grows with each further failure; 1 or more. */
  readonly backoffMultiplier?: number
  /** After how long without a failure the pause is the initial one again. */
  readonly resetBackoffThreshold?: Duration
  /** Part of the pause by which it varies at random; 0 to 1. */
  readonly jitterFactor?: number
  /** Restarts without a reset in between, at most; Infinity: no limit. */
  readonly attemptsBeforeResetBackoff?: number
}

/** Makes restart strategies for {@link StreamExecutionEnvironment.setRestartStrategy}. */
export const RestartStrategies = {
  /** A failed job stays failed. */
  noRestart(): RestartStrategy {
    return { type: 'none' }
  },

  /** Starts a failed job again, at most `attempts` times, `delay` after the failure. */
  fixedDelayRestart(attempts: number, delay: Duration): RestartStrategy {
    const call = 'RestartStrategies.fixedDelayRestart'
    return { type: 'fixed-delay', attempts: count(attempts, 0, call), delayMs: durationMs(delay, call) }
  },

  /** Starts a failed job again, `delay` after the failure, unless it failed more than `maxFailures` times within `interval`. */
  failureRateRestart(maxFailures: number, interval: Duration, delay: Duration): RestartStrategy {
    const call = 'RestartStrategies.failureRateRestart'
    return {
      type: 'failure-rate',
      maxFailures: count(maxFailures, 1, call),
      intervalMs: durationMs(interval, call, 1),
      delayMs: durationMs(delay, call),
    }
  },

  /**
   * Starts a failed job again after a pause that grows with each failure. What is left out has the default of its
   * configuration key.
   * @example RestartStrategies.exponentialDelayRestart({ initialBackoff: '1 s', maxBackoff: '1 min' })
   */
  exponentialDelayRestart(settings: ExponentialDelay = {}): RestartStrategy {
    const call = 'RestartStrategies.exponentialDelayRestart'
    const defaults = exponentialDelayOf(Configuration.EMPTY)
    const time = (value: Duration | undefined, otherwise: number): number =>
      value === undefined ? otherwise : durationMs(value, call, 1)
    const number = (value: number | undefined, otherwise: number, least: number, most: number): number => {
      if (value === undefined) return otherwise
      if (value >= least && value <= most && value < Infinity) return value
      const range = most < Infinity ? `${least} to ${most}` : `${least} on`
      throw InvalidArgument({ call, value: String(value), expected: `a number from ${range}` })
    }
    const { initialBackoff, maxBackoff, backoffMultiplier, resetBackoffThreshold, jitterFactor } = settings
    const { attemptsBeforeResetBackoff: attempts } = settings
    return {
      type: 'exponential-delay',
      initialMs: time(initialBackoff, defaults.initialMs),
      maxMs: time(maxBackoff, defaults.maxMs),
      multiplier: number(backoffMultiplier, defaults.multiplier, 1, Infinity),
      resetThresholdMs: time(resetBackoffThreshold, defaults.resetThresholdMs),
      jitterFactor: number(jitterFactor, defaults.jitterFactor, 0, 1),
      attempts: attempts === undefined ? defaults.attempts : count(attempts, 1, call),
    }
  },
} as const

function count(value: number, least: number, call: string): number {
  if ((Number.isInteger(value) || value === Infinity) && value >= least) {
    // Plain data has no Infinity.
    return Math.min(value, Number.MAX_SAFE_INTEGER)
  }
  throw InvalidArgument({ call, value: String(value), expected: `a whole number from ${least}` })
}
