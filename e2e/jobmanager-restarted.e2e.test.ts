import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const ENDLESS = join(REPOSITORY, 'e2e/jobs/endless.ts')
const WORDS = join(REPOSITORY, 'examples/word-count/src/job.ts')

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'after %s of the JobManager the TaskManagers free their slots and register at the next one',
  async signal => {
    const cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
    const running = cluster.flink('run', '-p', '4', ENDLESS)
    const jobId = await cluster.submitted(running)
    await cluster.until('records', 10_000, async () => (await cluster.recordsRead(jobId)) > 0)
    await cluster.endJobManager(signal)
    cluster.startJobManager()
    await cluster.waitForSlots(4)
    await cluster.until('free slots', 5000, async () => (await cluster.freeSlots()) === 4)
    for (const child of cluster.taskManagers) expect(child.exitCode).toBe(null)

    // The new one knows nothing of the job.
    const { code, stderr } = await Promise.race([
      running.finished,
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error(`the client hangs:\n${running.output()}`)), 10_000),
      ),
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('Lost the connection to the JobManager')
    expect(stderr).toContain(
      `Job ${jobId} is lost: the JobManager at 127.0.0.1:${cluster.rpcPort} was started anew while the job ran`,
    )

    const next = await cluster.flink('run', '-p', '4', WORDS).finished
    expect(next.code, next.stderr).toBe(0)
    expect(await cluster.stop()).toEqual([])
  },
)
