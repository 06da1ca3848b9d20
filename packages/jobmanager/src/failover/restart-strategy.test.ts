import { Configuration } from '@flink-ts/common'
import { describe, expect, it } from 'vitest'
import { sampleGraph } from '../testing/sample-graph.ts'
import { decideRestart, resolveRestartStrategy } from './restart-strategy.ts'

const withCheckpoints = sampleGraph('a', '')
const without = sampleGraph('a', '', { checkpointing: { intervalMs: undefined } })

describe('restart strategy', () => {
  it('is without limit with checkpoints and none without, if nothing is said (A128)', () => {
    const unlimited = { type: 'fixed-delay', attempts: 2147483647, delayMs: 1000 }
    expect(resolveRestartStrategy(withCheckpoints, Configuration.EMPTY)).toEqual(unlimited)
    expect(resolveRestartStrategy(without, Configuration.EMPTY)).toEqual({ type: 'none' })
  })

  it('comes from the job, else from the cluster, old key included', () => {
    const cluster = Configuration.of({
      'restart-strategy': 'fixeddelay',
      'restart-strategy.fixed-delay.attempts': '3',
      'restart-strategy.fixed-delay.delay': '10 s',
    })
    expect(resolveRestartStrategy(without, cluster)).toEqual({
      type: 'fixed-delay',
      attempts: 3,
      delayMs: 10_000,
    })
    expect(
      resolveRestartStrategy(withCheckpoints, Configuration.of({ 'restart-strategy.type': 'off' })),
    ).toEqual({
      type: 'none',
    })
    const job = sampleGraph('a', '', { restartStrategy: { type: 'none' } })
    expect(resolveRestartStrategy(job, cluster)).toEqual({ type: 'none' })
    expect(() =>
      resolveRestartStrategy(without, Configuration.of({ 'restart-strategy.type': 'sometimes' })),
    ).toThrow(/sometimes.*restart-strategy.type/)
  })

  it('restarts as often as it says', () => {
    const strategy = { type: 'fixed-delay', attempts: 2, delayMs: 5 } as const
    const error = { name: 'TypeError', message: 'x is undefined' }
    expect([1, 2, 3].map(n => decideRestart(strategy, error, n).type)).toEqual(['restart', 'restart', 'fail'])
    expect(decideRestart({ type: 'none' }, error, 1).type).toBe('fail')
  })

  it('does not repeat what the job itself makes impossible', () => {
    const strategy = { type: 'fixed-delay', attempts: 9, delayMs: 5 } as const
    const error = { name: 'FlinkError', message: 'm', code: 'taskmanager.replay-differs' }
    expect(decideRestart(strategy, { ...error, domain: 'user', retry: 'no' }, 1).type).toBe('fail')
    expect(decideRestart(strategy, { ...error, domain: 'external', retry: 'no' }, 1).type).toBe('restart')
  })
})
