import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'examples/word-count/src/job.ts')
const WIDE = join(REPOSITORY, 'e2e/jobs/endless.ts')

test('a job that needs more slots than there are waits for another TaskManager', async () => {
  const cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
  const running = cluster.flink('run', '-p', '8', JOB)
  const jobId = await cluster.submitted(running)
  // Its client says so.
  await cluster.until('the wait to be told', 30_000, async () => running.output().includes('waits for slots'))
  expect(running.output()).toMatch(
    /waits for slots since [-\d]+ [\d:]+: it needs 8 and has 4; the cluster has 4 on 2 T/,
  )
  expect((await cluster.job(jobId))?.vertices.map(v => v.tasks['SCHEDULED'])).toEqual([1, 8, 8])
  cluster.startTaskManager()
  await cluster.waitForSlots(6)
  expect((await cluster.job(jobId))?.vertices.map(v => v.tasks['SCHEDULED'])).toEqual([1, 8, 8])
  cluster.startTaskManager()
  const { code, stderr } = await running.finished
  expect(code, stderr).toBe(0)
  await cluster.until('free slots', 2000, async () => (await cluster.freeSlots()) === 8)
  expect(await cluster.stop()).toEqual([])
})

test('after slot.request.timeout the job fails with the numbers and what to do', async () => {
  const cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'slot.request.timeout': '2 s', 'restart-strategy.type': 'none' },
  })
  const startedMs = performance.now()
  const { code, stderr } = await cluster.flink('run', '-p', '5', WIDE).finished
  expect(code).toBe(1)
  expect(performance.now() - startedMs).toBeLessThan(6000)
  expect(stderr.split('\n')[0]).toContain(
    'The job needs 5 slots but got only 2 within 2000 ms (slot.request.timeout). Start more TaskManagers',
  )
  await cluster.until('free slots', 2000, async () => (await cluster.freeSlots()) === 2)
  const fitting = await cluster.flink('run', '-p', '2', JOB).finished
  expect(fitting.code, fitting.stderr).toBe(0)
  expect(await cluster.stop()).toEqual([])
})
