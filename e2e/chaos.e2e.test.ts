import { SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { compareRows } from './chaos/compare-rows.ts'
import { FAULT_KINDS, planFaults } from './chaos/fault-plan.ts'
import { runChaos } from './chaos/run-chaos.ts'
import { WORKLOADS } from './chaos/workloads.ts'

test('rows that are missing, there twice or wrong are told apart', () => {
  expect(compareRows(['b', 'a'], ['a', 'b'])).toBeUndefined()
  expect(compareRows(['a', 'a', 'x'], ['a', 'b'])).toEqual({
    missing: 1,
    added: 2,
    samples: ['+1 a', '-1 b', '+1 x'],
  })
})

test('a seed gives the same faults each time, and all kinds of them', () => {
  const plan = (seed: number) => {
    const faults = planFaults(new SeededRandom(seed), { kinds: FAULT_KINDS, pauseMs: [0, 1000] })
    return Array.from({ length: 200 }, () => faults.next().value)
  }
  expect(plan(17)).toEqual(plan(17))
  expect(plan(17)).not.toEqual(plan(18))
  expect(new Set(plan(17).map(({ kind }) => kind)).size).toBe(FAULT_KINDS.length)
})

test('half a minute of chaos: every row of every job is there once, and nothing is left behind', async () => {
  // The same course each time, one that found something; others are for npm run chaos.
  const seed = Number(process.env.E2E_SEED ?? 426_158)
  console.log(`chaos: E2E_SEED=${seed}`)
  const lines: string[] = []
  const result = await runChaos({
    seed,
    seconds: 30,
    lanes: Object.keys(WORKLOADS),
    kinds: FAULT_KINDS,
    pauseMs: [300, 2000],
    patienceMs: 10_000,
    jobSeconds: [5, 10],
    say: line => lines.push(line),
  })
  const { faults, recoveryMs } = result
  console.log(`chaos: ${JSON.stringify(faults)}, recovery ${JSON.stringify(recoveryMs['all'])} ms`)
  expect([...result.failures, ...result.leftBehind], lines.join('\n')).toEqual([])
  expect(result.jobs).toBeGreaterThanOrEqual(Object.keys(WORKLOADS).length)
  expect(Object.keys(faults).length).toBeGreaterThanOrEqual(1)
}, 420_000)
