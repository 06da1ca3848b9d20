import { expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { TestCluster } from './harness/test-cluster.ts'

test.each([2, 3])(
  'a TaskManager out of %i that is frozen for ten seconds changes nothing in the result',
  async taskManagers => {
    const random = seededChoices('frozen')
    const cluster = await TestCluster.start({ taskManagers, slots: 2 })
    const run = new MainJobRun(cluster, { parallelism: 4, checkpointIntervalMs: 200 })
    await randomPause(random, 800, 2000)
    const victim = cluster.taskManagers[0]
    if (victim === undefined) throw new Error('no TaskManager')
    const thaw = new Promise<void>(resolve => setTimeout(resolve, 10_000)).then(() => victim.kill('SIGCONT'))
    victim.kill('SIGSTOP')
    await cluster.until('the freeze to be noticed', 6000, async () => {
      const overview = await cluster.rest<{ taskmanagers: number }>('/overview')
      return overview?.taskmanagers === taskManagers - 1
    })
    await thaw
    await run.expectResult()
    await cluster.waitForSlots(taskManagers * 2)
    expect(await cluster.stop()).toEqual([])
  },
)
