import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/endless.ts')

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'task.cancellation.timeout': '1 s' },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

async function cancel(jobId: string): Promise<void> {
  const { code, stdout, stderr } = await cluster.flink('cancel', jobId).finished
  expect(stderr).toBe('')
  expect(stdout).toBe(`Cancelling job ${jobId}.\nCancelled job ${jobId}.\n`)
  expect(code).toBe(0)
}

test('flink cancel ends an endless job, and its slots are free within a second', async () => {
  const running = cluster.flink('run', '-p', '2', JOB)
  const jobId = await cluster.submitted(running)
  await cluster.until('records', 10_000, async () => (await cluster.recordsRead(jobId)) > 0)
  expect(await cluster.freeSlots()).toBe(0)
  await cancel(jobId)
  await cluster.untilJob(jobId, 'CANCELED', 1000)
  await cluster.until('free slots', 1000, async () => (await cluster.freeSlots()) === 2)
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  expect(stderr).toContain(`Job ${jobId} was cancelled before it finished.`)
})

test('a job that spins in user code is cancelled, and another one in the same TaskManager goes on', async () => {
  const calm = cluster.flink('run', JOB, '--name', 'calm')
  const calmId = await cluster.submitted(calm)
  const spinning = cluster.flink('run', JOB, '--name', 'spinning', '--do', 'spin')
  const spinningId = await cluster.submitted(spinning)
  await cluster.untilJob(spinningId, 'RUNNING')
  await cluster.until('the calm job to run', 10_000, async () => (await cluster.recordsRead(calmId)) > 0)
  await cluster.until('a warning that names the call', 30_000, async () =>
    cluster.log('taskmanager-0').includes('User code holds up its slot'),
  )
  expect(cluster.log('taskmanager-0')).toMatch(/"at":"[^"]*\(e2e\/jobs\/endless\.ts:\d+\)"/)
  const before = await cluster.recordsRead(calmId)
  await cancel(spinningId)
  const cancelledAt = performance.now()
  await cluster.untilJob(spinningId, 'CANCELED', 3000)
  expect(performance.now() - cancelledAt).toBeGreaterThan(500)
  expect((await spinning.finished).code).toBe(1)
  await cluster.until('the slot of the spinning job', 1000, async () => (await cluster.freeSlots()) === 1)
  await cluster.until('more records', 5000, async () => (await cluster.recordsRead(calmId)) > before + 1000)
  expect((await cluster.job(calmId))?.state).toBe('RUNNING')
  expect(await cluster.rest(`/jobs/${calmId}/exceptions`)).toMatchObject({ 'all-exceptions': [] })
  await cancel(calmId)
  expect((await calm.finished).code).toBe(1)
  await cluster.until('free slots', 1000, async () => (await cluster.freeSlots()) === 2)
})
