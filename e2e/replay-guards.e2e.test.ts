import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const SIDE_EFFECT = join(REPOSITORY, 'e2e/jobs/side-effect.ts')
const CHANCE = join(REPOSITORY, 'e2e/jobs/chance.ts')

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 1,
    configuration: { 'restart-strategy.type': 'none' },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

test('writing a file before execute fails the job with the line of the program and the remedy', async () => {
  const file = join(cluster.folder, 'written')
  const { code, stderr } = await cluster.flink('run', SIDE_EFFECT, file).finished
  expect(code).toBe(1)
  const line =
    readFileSync(SIDE_EFFECT, 'utf8')
      .split('\n')
      .findIndex(l => l.startsWith('if (captured')) + 1
  const [message] = stderr.split('\n')
  expect(message).toContain(`calls writeFileSync('${file}') before env.execute()`)
  expect(message).toMatch(new RegExp(`at .*e2e/jobs/side-effect\\.ts:${line}:\\d+`))
  expect(message).toContain('env.capture(')

  rmSync(file)
  const captured = await cluster.flink('run', SIDE_EFFECT, file, 'captured').finished
  expect(captured.code, captured.stderr).toBe(0)
  expect(existsSync(file)).toBe(true)
})

test('a topology that depends on Math.random and the clock is the same in each slot', async () => {
  const { code, stdout, stderr } = await cluster.flink('run', '-p', '2', CHANCE).finished
  expect(code, stderr).toBe(0)
  const { steps, offset, numbers } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
    steps: number
    offset: number
    numbers: number[]
  }
  const expected = Array.from({ length: 100 }, (_, i) => {
    let n = i + 1
    for (let step = 0; step < steps; step++) n += offset
    return n
  })
  expect(numbers).toEqual(expected)
})

test('a topology that depends on the process fails with its first difference', async () => {
  const running = cluster.flink('run', '-p', '2', CHANCE, '--process')
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  const [message] = stderr.split('\n')
  expect(message).toMatch(/built another topology when it ran again in the cluster/)
  expect(message).toMatch(/planned '[^']*in \d+[^']*', replayed '[^']*in \d+[^']*'/)
  expect(message).toContain('env.capture(')
  // For the planning process and those of the TaskManagers are different ones.
  const [, planned, replayed] =
    /planned '[^']*in (\d+)[^']*', replayed '[^']*in (\d+)/.exec(message ?? '') ?? []
  expect(cluster.taskManagers.map(child => String(child.pid))).toContain(replayed)
  expect(planned).not.toBe(replayed)
})
