import type { Configuration } from '@flink-ts/common'
import {
  EXPONENTIAL_ATTEMPTS,
  EXPONENTIAL_INITIAL_BACKOFF,
  EXPONENTIAL_JITTER,
  EXPONENTIAL_MAX_BACKOFF,
  EXPONENTIAL_MULTIPLIER,
  EXPONENTIAL_RESET_THRESHOLD,
  FAILURE_RATE_DELAY,
  FAILURE_RATE_INTERVAL,
  FAILURE_RATE_MAX_FAILURES,
  FIXED_DELAY,
  FIXED_DELAY_ATTEMPTS,
  RESTART_STRATEGY,
} from '../jobgraph-options.ts'

/** When and how often a failed job is started again. Plain data. */
export type RestartStrategy =
  | { readonly type: 'none' }
  | { readonly type: 'fixed-delay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly type: 'failure-rate'
      /** More failures than this within the interval end the job. */
      readonly maxFailures: number
      readonly intervalMs: number
      readonly delayMs: number
    }
  | {
      readonly type: 'exponential-delay'
      readonly initialMs: number
      readonly maxMs: number
      readonly multiplier: number
      /** After so long without a failure everything begins anew. */
      readonly resetThresholdMs: number
      /** 0 to 1: part of the pause by which it varies at random. */
      readonly jitterFactor: number
      /** Restarts without a reset in between, at most. */
      readonly attempts: number
    }

/** The strategy that a configuration names; undefined: it leaves that open. @throws common.invalid-option-value */
export function restartStrategyOf(configuration: Configuration): RestartStrategy | undefined {
  const type = configuration.get(RESTART_STRATEGY)
  switch (type) {
    case 'default':
      return undefined
    case 'none':
    case 'off':
    case 'disable':
      return { type: 'none' }
    case 'fixed-delay':
    case 'fixeddelay':
      return {
        type: 'fixed-delay',
        attempts: configuration.get(FIXED_DELAY_ATTEMPTS),
        delayMs: configuration.get(FIXED_DELAY),
      }
    case 'failure-rate':
    case 'failurerate':
      return {
        type: 'failure-rate',
        maxFailures: configuration.get(FAILURE_RATE_MAX_FAILURES),
        intervalMs: configuration.get(FAILURE_RATE_INTERVAL),
        delayMs: configuration.get(FAILURE_RATE_DELAY),
      }
    case 'exponential-delay':
    case 'exponentialdelay':
      return exponentialDelayOf(configuration)
  }
}

/** The strategy exponential-delay with what a configuration says about it. @throws common.invalid-option-value */
export function exponentialDelayOf(
  configuration: Configuration,
): RestartStrategy & { readonly type: 'exponential-delay' } {
  return {
    type: 'exponential-delay',
    initialMs: configuration.get(EXPONENTIAL_INITIAL_BACKOFF),
    maxMs: configuration.get(EXPONENTIAL_MAX_BACKOFF),
    multiplier: configuration.get(EXPONENTIAL_MULTIPLIER),
    resetThresholdMs: configuration.get(EXPONENTIAL_RESET_THRESHOLD),
    jitterFactor: configuration.get(EXPONENTIAL_JITTER),
    attempts: configuration.get(EXPONENTIAL_ATTEMPTS),
  }
}

/** `configuration` with the keys that {@link restartStrategyOf} reads the strategy from, as settings of the program. */
export function withRestartStrategy(configuration: Configuration, strategy: RestartStrategy): Configuration {
  const typed = configuration.set(RESTART_STRATEGY, strategy.type, 'program')
  switch (strategy.type) {
    case 'none':
      return typed
    case 'fixed-delay':
      return typed
        .set(FIXED_DELAY_ATTEMPTS, strategy.attempts, 'program')
        .set(FIXED_DELAY, strategy.delayMs, 'program')
    case 'failure-rate':
      return typed
        .set(FAILURE_RATE_MAX_FAILURES, strategy.maxFailures, 'program')
        .set(FAILURE_RATE_INTERVAL, strategy.intervalMs, 'program')
        .set(FAILURE_RATE_DELAY, strategy.delayMs, 'program')
    case 'exponential-delay':
      return typed
        .set(EXPONENTIAL_INITIAL_BACKOFF, strategy.initialMs, 'program')
        .set(EXPONENTIAL_MAX_BACKOFF, strategy.maxMs, 'program')
        .set(EXPONENTIAL_MULTIPLIER, strategy.multiplier, 'program')
        .set(EXPONENTIAL_RESET_THRESHOLD, strategy.resetThresholdMs, 'program')
        .set(EXPONENTIAL_JITTER, strategy.jitterFactor, 'program')
        .set(EXPONENTIAL_ATTEMPTS, strategy.attempts, 'program')
  }
}
