import { Configuration, type Random, SeededRandom } from '@flink-ts/common'
import type { RestartStrategy } from '@flink-ts/jobgraph'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleGraph } from '../testing/sample-graph.ts'
import { RestartDecider, resolveRestartStrategy } from './restart-strategy.ts'

const withCheckpoints = sampleGraph('a', '')
const without = sampleGraph('a', '', { checkpointing: { intervalMs: undefined } })
const ERROR = { name: 'TypeError', message: 'x is undefined' }

/** Without jitter: the middle of its range. */
const MIDDLE: Random = { next: () => 0.5, bytes: count => Buffer.alloc(count) }

/** What follows failures at these times: the delay, or `fail`. */
function after(
  strategy: RestartStrategy,
  times: readonly number[],
  random: Random = MIDDLE,
): readonly (number | 'fail')[] {
  const decider = new RestartDecider(strategy, { random })
  return times.map(time => {
    const decision = decider.failed(ERROR, time)
    return decision.type === 'fail' ? 'fail' : decision.delayMs
  })
}

describe('resolving the restart strategy', () => {
  it('is exponential-delay with checkpoints and none without, if nothing is said (A128, B101)', () => {
    expect(resolveRestartStrategy(withCheckpoints, Configuration.EMPTY)).toEqual({
      type: 'exponential-delay',
      initialMs: 1000,
      maxMs: 60_000,
      multiplier: 1.5,
      resetThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      attempts: Number.MAX_SAFE_INTEGER,
    })
    expect(resolveRestartStrategy(without, Configuration.EMPTY)).toEqual({ type: 'none' })
  })

  it('comes from the job, else from the cluster, old key included', () => {
    const cluster = Configuration.of({
      'restart-strategy': 'fixeddelay',
      'restart-strategy.fixed-delay.attempts': '3',
      'restart-strategy.fixed-delay.delay': '10 s',
    })
    const fixed = { type: 'fixed-delay', attempts: 3, delayMs: 10_000 }
    expect(resolveRestartStrategy(without, cluster)).toEqual(fixed)
    const off = Configuration.of({ 'restart-strategy.type': 'off' })
    expect(resolveRestartStrategy(withCheckpoints, off)).toEqual({ type: 'none' })
    const job = sampleGraph('a', '', { restartStrategy: { type: 'none' } })
    expect(resolveRestartStrategy(job, cluster)).toEqual({ type: 'none' })
  })

  it("reads Flink's keys, defaults included (A125, A126)", () => {
    const failureRate = Configuration.of({ 'restart-strategy.type': 'failurerate' })
    expect(resolveRestartStrategy(without, failureRate)).toEqual({
      type: 'failure-rate',
      maxFailures: 1,
      intervalMs: 60_000,
      delayMs: 1000,
    })
    const exponential = Configuration.of({
      'restart-strategy.type': 'exponential-delay',
      'restart-strategy.exponential-delay.initial-backoff': '10 s',
      'restart-strategy.exponential-delay.attempts-before-reset-backoff': '8',
      'restart-strategy.exponential-delay.backoff-multiplier': '2.5',
      'restart-strategy.exponential-delay.jitter-factor': '0',
    })
    expect(resolveRestartStrategy(without, exponential)).toEqual({
      type: 'exponential-delay',
      initialMs: 10_000,
      maxMs: 60_000,
      multiplier: 2.5,
      resetThresholdMs: 3_600_000,
      jitterFactor: 0,
      attempts: 8,
    })
    const wrong = (key: string, value: string) => () =>
      resolveRestartStrategy(without, exponential.with(Configuration.of({ [key]: value })))
    expect(wrong('restart-strategy.type', 'sometimes')).toThrow(/sometimes.*restart-strategy.type/)
    const prefix = 'restart-strategy.exponential-delay'
    expect(wrong(`${prefix}.jitter-factor`, '1.5')).toThrow(/1.5.*jitter-factor.*from 0 to 1/)
    expect(wrong(`${prefix}.backoff-multiplier`, 'many')).toThrow(/many.*multiplier.*a number from 1/)
    expect(wrong(`${prefix}.attempts-before-reset-backoff`, '0')).toThrow(/whole number from 1, or infinite/)
  })
})

describe('deciding after a failure', () => {
  it('restarts as often as fixed-delay says, and never with none', () => {
    expect(after({ type: 'fixed-delay', attempts: 2, delayMs: 5 }, [0, 10, 20])).toEqual([5, 5, 'fail'])
    expect(after({ type: 'none' }, [0])).toEqual(['fail'])
  })

  it('does not repeat what the job itself makes impossible', () => {
    const failed = (domain: 'user' | 'external') =>
      new RestartDecider({ type: 'fixed-delay', attempts: 9, delayMs: 5 }, { random: MIDDLE }).failed(
        { ...ERROR, code: 'jobgraph.replay-differs', domain, retry: 'no' },
        0,
      ).type
    expect([failed('user'), failed('external')]).toEqual(['fail', 'restart'])
  })

  it('ends with failure-rate when more failures than allowed are within one interval', () => {
    const strategy = { type: 'failure-rate', maxFailures: 2, intervalMs: 1000, delayMs: 7 } as const
    expect(after(strategy, [0, 400, 999])).toEqual([7, 7, 'fail'])
    expect(after(strategy, [0, 400, 1000, 1400, 1900])).toEqual([7, 7, 7, 7, 'fail'])
  })

  it('waits longer after each failure with exponential-delay, up to the maximum, and begins anew after a quiet time', () => {
    const strategy: RestartStrategy = {
      type: 'exponential-delay',
      initialMs: 1000,
      maxMs: 5000,
      multiplier: 2,
      resetThresholdMs: 60_000,
      jitterFactor: 0,
      attempts: 4,
    }
    expect(after(strategy, [0, 2000, 10_000, 20_000, 30_000])).toEqual([1000, 2000, 4000, 5000, 'fail'])
    // The first failure's restart was at 1000, the second one's at 4000: quiet until 66_000.
    expect(after(strategy, [0, 2000, 66_000, 68_000])).toEqual([1000, 2000, 1000, 2000])
    // Failures during the pause belong to it: they neither count nor lengthen it.
    expect(after(strategy, [0, 300, 999, 1500])).toEqual([1000, 700, 1, 2000])
  })

  it('varies the pause by the jitter, never above the maximum', () => {
    const settings = fc.record({
      initialMs: fc.integer({ min: 1, max: 10_000 }),
      multiplier: fc.double({ min: 1, max: 4, noNaN: true }),
      jitterFactor: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(settings, ({ seed, ...varied }) => {
        const maxMs = 20_000
        const resetThresholdMs = 10 ** 9
        const strategy = {
          type: 'exponential-delay',
          maxMs,
          resetThresholdMs,
          attempts: 100,
          ...varied,
        } as const
        const times = Array.from({ length: 12 }, (_, i) => i * 50_000)
        const delays = after(strategy, times, new SeededRandom(seed)) as readonly number[]
        delays.forEach((delay, i) => {
          const pause = Math.min(maxMs, varied.initialMs * varied.multiplier ** i)
          expect(delay).toBeGreaterThanOrEqual(Math.floor(pause * (1 - varied.jitterFactor)))
          expect(delay).toBeLessThanOrEqual(Math.min(maxMs, Math.ceil(pause * (1 + varied.jitterFactor))))
        })
      }),
    )
  })
})
