import { expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { TestCluster } from './harness/test-cluster.ts'

interface Overview {
  readonly taskmanagers: number
}

// Ten moments each: with two TaskManagers every kill takes half of the job, with three a third.
test.each([
  { taskManagers: 2, slots: 2, parallelisms: [2, 3, 4] },
  { taskManagers: 3, slots: 2, parallelisms: [1, 3, 4] },
])(
  'kill -9 of one of $taskManagers TaskManagers at random moments changes nothing in the result',
  async given => {
    const random = seededChoices(`killed, ${given.taskManagers} TaskManagers`)
    const cluster = await TestCluster.start(given)
    for (let moment = 0; moment < 10; moment++) {
      const parallelism = given.parallelisms[moment % given.parallelisms.length] as number
      const run = new MainJobRun(cluster, { parallelism, checkpointIntervalMs: 200 })
      await randomPause(random, 300, 3500)
      const killedAt = performance.now()
      await cluster.killTaskManager(Math.floor(random.next() * given.taskManagers))
      await cluster.until('the loss to be noticed', 1000, async () => {
        const overview = await cluster.rest<Overview>('/overview')
        return overview?.taskmanagers === given.taskManagers - 1
      })
      expect(performance.now() - killedAt).toBeLessThan(1000)
      cluster.startTaskManager()
      await run.expectResult()
      await cluster.waitForSlots(given.taskManagers * given.slots)
    }
    expect(await cluster.stop()).toEqual([])
  },
)
