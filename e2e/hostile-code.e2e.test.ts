import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, type Running, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/endless.ts')

let cluster: TestCluster
let calm: Running
let calmId: string
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'restart-strategy.type': 'none', 'taskmanager.memory.task.heap.size': '400 mb' },
  })
  calm = cluster.flink('run', JOB, '--name', 'calm')
  calmId = await cluster.submitted(calm)
  await cluster.until('records', 10_000, async () => (await cluster.recordsRead(calmId)) > 0)
})
afterAll(async () => {
  await cluster.flink('cancel', calmId).finished
  expect((await calm.finished).code).toBe(1)
  expect(await cluster.stop()).toEqual([])
})

test.each([
  ['process.exit', 'exit', /ended by itself \(exit code 1\).*process\.exit/s],
  ['an unhandled rejection', 'reject', /^nobody handles this .*\n {4}at e2e\/jobs\/endless\.ts:\d+/],
  ['an error in a callback', 'timeout', /^nobody catches this .*\n {4}at e2e\/jobs\/endless\.ts:\d+/],
  ['memory without end', 'grow', /used up the memory of slot/],
])('%s in user code fails that job only', async (_what, deed, message) => {
  const before = await cluster.recordsRead(calmId)
  const running = cluster.flink('run', JOB, '--do', deed)
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
  expect((await cluster.job(await cluster.submitted(running)))?.state).toBe('FAILED')

  expect(cluster.taskManagers[0]?.exitCode).toBe(null)
  expect((await cluster.job(calmId))?.state).toBe('RUNNING')
  expect(await cluster.rest(`/jobs/${calmId}/exceptions`)).toMatchObject({ 'all-exceptions': [] })
  await cluster.until('more records', 5000, async () => (await cluster.recordsRead(calmId)) > before + 500)
  await cluster.until('a free slot', 2000, async () => (await cluster.freeSlots()) === 1)
})
