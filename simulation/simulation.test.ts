import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { reduceScenario } from './reduce-scenario.ts'
import type { Scenario } from './scenario.ts'
import { Violation } from './violation.ts'

// In processes of their own: the product runs from its sources there, as it is, and bugs can be planted in it.
function run(script: string, ...args: string[]): string {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    ['--conditions=@flink-ts/source', file, ...args],
    {
      encoding: 'utf8',
      timeout: 400_000,
      maxBuffer: 64 * 2 ** 20,
    },
  )
  if (error !== undefined) throw error
  return stdout + stderr
}

test('hundreds of clusters under faults keep all promises, and so do those that once failed', () => {
  const output = run('./main.ts', '--regressions', '--seeds', '500')
  expect(output).toMatch(/\d+ of \d+ scenarios that once failed hold/)
  expect(output, output.slice(-4000)).toContain('everything holds')
})

test('those that change leaders and lose storage keep them, too', () => {
  const output = run('./main.ts', '--leaders', '--seeds', '120')
  expect(output, output.slice(-4000)).toContain('everything holds')
})

test('those that take checkpoints with records on their way keep them, too', () => {
  const output = run('./main.ts', '--unaligned', '--seeds', '60')
  expect(output, output.slice(-4000)).toContain('everything holds')
})

test('bugs that are planted in the product are found', () => {
  expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(10)
  const output = run('./find-planted-bugs.ts', '--seeds', '300')
  expect(output, output).not.toContain('no longer fits')
  const results = output.trim().split('\n')
  expect(results, output).toHaveLength(PLANTED_BUGS.length)
  const missed = results.map(line => JSON.parse(line)).filter(({ seed }) => seed === undefined)
  expect(missed).toEqual([])
})

test('a run can be repeated: the same seed is the same course of events', () => {
  const trace = (): string => run('./main.ts', '--seed', '12', '--trace')
  const first = trace()
  expect(first.length).toBeGreaterThan(10_000)
  expect(trace()).toBe(first)
})

test('faults that do not matter are left out of a failing scenario', async () => {
  const faults = [1, 2, 3, 4, 5].map(target => ({ type: 'fail-task' as const, atMs: target, target }))
  const scenario = { faults } as unknown as Scenario
  const needed = [2, 5]
  const kept = await reduceScenario(scenario, 'leak', async ({ faults: left }) => {
    const targets = left.map(fault => ('target' in fault ? fault.target : 0))
    const fails = needed.every(target => targets.includes(target))
    // Without number 2 something else goes wrong, which is not what is looked for.
    const other = targets.includes(2) ? undefined : new Violation('crash', '')
    return { violation: fails ? new Violation('leak', '') : other }
  })
  expect(kept).toEqual([1, 4])
})
