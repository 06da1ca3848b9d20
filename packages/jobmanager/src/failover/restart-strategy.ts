import type { Configuration, Random, SerializedError } from '@flink-ts/common'
import {
  exponentialDelayOf,
  type JobGraph,
  type RestartStrategy,
  restartStrategyOf,
} from '@flink-ts/jobgraph'

/** What follows a failure. */
export type RestartDecision =
  | { readonly type: 'restart'; readonly delayMs: number }
  | { readonly type: 'fail'; readonly reason: string }

/**
 * The strategy of a job: its own, else the cluster's, else by rule: exponential-delay if checkpoints are on, none
 * otherwise.
 */
export function resolveRestartStrategy(graph: JobGraph, configuration: Configuration): RestartStrategy {
  const chosen = graph.restartStrategy ?? restartStrategyOf(configuration)
  if (chosen !== undefined) return chosen
  return graph.checkpointing.intervalMs === undefined ? { type: 'none' } : exponentialDelayOf(configuration)
}

/** Decides after each failure of one job whether and when it is started again. Owner: the job's scheduler. */
export class RestartDecider {
  readonly #strategy: RestartStrategy
  readonly #random: Random
  #failures = 0
  /** Of the latest failures, oldest first; only for failure-rate. */
  readonly #times: number[] = []
  /** Of exponential-delay: the current pause without jitter, and when the job was to be started with it. */
  #pauseMs = 0
  #restartAtMs = -Infinity

  constructor(strategy: RestartStrategy, dependencies: { readonly random: Random }) {
    this.#strategy = strategy
    this.#random = dependencies.random
  }

  /** Counts a failure. @param nowMs of any clock, the same for all calls */
  failed(error: SerializedError, nowMs: number): RestartDecision {
    // Only errors of this project carry a code: what a user's function throws may be gone at the next try.
    if (error.code !== undefined && error.domain === 'user' && error.retry === 'no') {
      return { type: 'fail', reason: `${error.code} will not go away by itself` }
    }
    const strategy = this.#strategy
    switch (strategy.type) {
      case 'none':
        return { type: 'fail', reason: 'restart-strategy.type is none' }
      case 'fixed-delay':
        if (++this.#failures <= strategy.attempts) return { type: 'restart', delayMs: strategy.delayMs }
        return {
          type: 'fail',
          reason: `it was restarted ${strategy.attempts} times (restart-strategy.fixed-delay.attempts)`,
        }
      case 'failure-rate':
        return this.#failureRate(strategy, nowMs)
      case 'exponential-delay':
        return this.#exponential(strategy, nowMs)
    }
  }

  #failureRate(strategy: RestartStrategy & { type: 'failure-rate' }, nowMs: number): RestartDecision {
    const { maxFailures, intervalMs, delayMs } = strategy
    this.#times.push(nowMs)
    while (this.#times[0]! <= nowMs - intervalMs) this.#times.shift()
    if (this.#times.length <= maxFailures) return { type: 'restart', delayMs }
    return {
      type: 'fail',
      reason:
        `it failed ${this.#times.length} times within ${intervalMs} ms, ${maxFailures} are allowed ` +
        '(restart-strategy.failure-rate.max-failures-per-interval)',
    }
  }

  #exponential(strategy: RestartStrategy & { type: 'exponential-delay' }, nowMs: number): RestartDecision {
    const { initialMs, maxMs, multiplier, resetThresholdMs, attempts } = strategy
    if (nowMs >= this.#restartAtMs + resetThresholdMs + this.#pauseMs) {
      this.#failures = 0
      this.#pauseMs = 0
    }
    // What fails while the pause still runs is part of the same trouble: the next start tells whether it is over.
    const sameAttempt = this.#pauseMs > 0 && nowMs < this.#restartAtMs
    if (!sameAttempt) {
      this.#failures++
      this.#pauseMs = Math.min(maxMs, this.#pauseMs === 0 ? initialMs : this.#pauseMs * multiplier)
    }
    if (this.#failures > attempts) {
      const key = 'restart-strategy.exponential-delay.attempts-before-reset-backoff'
      return { type: 'fail', reason: `it was restarted ${attempts} times (${key})` }
    }
    if (sameAttempt) return { type: 'restart', delayMs: Math.ceil(this.#restartAtMs - nowMs) }
    const jitter = 1 + (2 * this.#random.next() - 1) * strategy.jitterFactor
    const delayMs = Math.round(Math.min(maxMs, this.#pauseMs * jitter))
    this.#restartAtMs = nowMs + delayMs
    return { type: 'restart', delayMs }
  }
}
