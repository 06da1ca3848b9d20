import {
  type Configuration,
  FIXED_DELAY,
  FIXED_DELAY_ATTEMPTS,
  RESTART_STRATEGY,
  type SerializedError,
} from '@flink-ts/common'
import type { JobGraph, RestartStrategy } from '@flink-ts/jobgraph'

/** Attempts of the default strategy with checkpoints: Flink's Integer.MAX_VALUE. */
const UNLIMITED_ATTEMPTS = 2 ** 31 - 1

/** What follows a failure. */
export type RestartDecision =
  | { readonly type: 'restart'; readonly delayMs: number }
  | { readonly type: 'fail'; readonly reason: string }

/**
 * The strategy of a job: its own, else the cluster's, else by rule: fixed-delay without a limit if checkpoints are on,
 * none otherwise.
 */
export function resolveRestartStrategy(graph: JobGraph, configuration: Configuration): RestartStrategy {
  if (graph.restartStrategy !== undefined) return graph.restartStrategy
  const type = configuration.get(RESTART_STRATEGY)
  const delayMs = configuration.get(FIXED_DELAY)
  if (type === 'none' || type === 'off' || type === 'disable') return { type: 'none' }
  if (type === 'fixed-delay' || type === 'fixeddelay') {
    return {
      type: 'fixed-delay',
      attempts: configuration.get(FIXED_DELAY_ATTEMPTS),
      delayMs,
    }
  }
  return graph.checkpointing.intervalMs === undefined
    ? { type: 'none' }
    : { type: 'fixed-delay', attempts: UNLIMITED_ATTEMPTS, delayMs }
}

/**
 * Whether a job is started again after a failure.
 * @param failures so far, this one included
 */
export function decideRestart(
  strategy: RestartStrategy,
  error: SerializedError,
  failures: number,
): RestartDecision {
  // Only errors of this project carry a code: what a user's function throws may be gone at the next try.
  if (error.code !== undefined && error.domain === 'user' && error.retry === 'no') {
    return { type: 'fail', reason: `${error.code} will not go away by itself` }
  }
  switch (strategy.type) {
    case 'none':
      return { type: 'fail', reason: 'restart-strategy.type is none' }
    case 'fixed-delay':
      return failures <= strategy.attempts
        ? { type: 'restart', delayMs: strategy.delayMs }
        : {
            type: 'fail',
            reason: `it was restarted ${strategy.attempts} times (restart-strategy.fixed-delay.attempts)`,
          }
  }
}
