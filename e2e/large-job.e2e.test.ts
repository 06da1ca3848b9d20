import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/many-shuffles.ts')

test.each([
  { taskManagers: 1, slots: 4 },
  { taskManagers: 2, slots: 2 },
])(
  '300 shuffles at parallelism 4 run on $taskManagers TaskManagers within seconds',
  async layout => {
    // Where many tests share two cores, a process may stand still for long.
    const cluster = await TestCluster.start({ ...layout, configuration: { 'heartbeat.timeout': '1 min' } })
    const running = cluster.flink('run', '-p', '4', JOB, '--rate', '20')
    const jobId = await cluster.submitted(running)
    const submittedMs = performance.now()
    await cluster.until('all tasks to run', 60_000, async () => {
      const job = await cluster.job(jobId)
      return job?.vertices.every(({ tasks, parallelism }) => tasks['RUNNING'] === parallelism) === true
    })
    // Five seconds on a machine of its own.
    expect(performance.now() - submittedMs).toBeLessThan(60_000)
    expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
    expect((await running.finished).code).toBe(1)
    expect(await cluster.stop()).toEqual([])
  },
  120_000,
)
