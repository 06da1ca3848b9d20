import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/endless.ts')

test('a TaskManager that drains has a checkpoint taken, its tasks move, and it ends at once; no failure is counted', async () => {
  // A failure would end the job.
  const cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 1,
    configuration: { 'restart-strategy.type': 'none' },
  })
  const running = cluster.flink('run', '-Dexecution.checkpointing.interval=1 h', JOB)
  const jobId = await cluster.submitted(running)
  await cluster.until('records', 30_000, async () => (await cluster.recordsRead(jobId)) > 0)
  const [busy = -1] = await cluster.busyTaskManagers()
  const [drained] = cluster.taskManagers.splice(busy, 1)
  const exited = new Promise<number | null>(resolve => drained?.once('exit', resolve))
  drained?.kill('SIGUSR2')
  expect(await exited).toBe(0)
  const checkpoints = () => cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
  await cluster.until('the tasks on the other TaskManager', 30_000, async () => {
    const job = await cluster.job(jobId)
    return job?.vertices.every(({ tasks }) => tasks['RUNNING'] === 1) === true
  })
  expect(await checkpoints()).toMatchObject({ counts: { completed: 1, restored: 1, failed: 0 } })
  expect(await cluster.rest(`/jobs/${jobId}/exceptions`)).toMatchObject({ 'all-exceptions': [] })
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  expect((await running.finished).code).toBe(1)
  expect(await cluster.stop()).toEqual([])
})
