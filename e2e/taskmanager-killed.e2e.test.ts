import { expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { KillReport } from './harness/kill-report.ts'
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
    const name = `killed, ${given.taskManagers} TaskManagers`
    const random = seededChoices(name)
    const cluster = await TestCluster.start(given)
    const report = new KillReport(cluster, name)
    for (let moment = 0; moment < 10; moment++) {
      const parallelism = given.parallelisms[moment % given.parallelisms.length] as number
      const run = new MainJobRun(cluster, { parallelism, checkpointIntervalMs: 200 })
      // Anywhere from before the submission on; every other time when there is something to restore.
      if (moment % 2 === 1) await cluster.firstCheckpoint(await cluster.submitted(run.running))
      await randomPause(random, moment % 2 === 1 ? 0 : 300, moment % 2 === 1 ? 900 : 2000)
      const busy = await cluster.busyTaskManagers()
      const victims = busy.length > 0 ? busy : cluster.taskManagers.map((_, index) => index)
      const killedAt = performance.now()
      await cluster.killTaskManager(victims[Math.floor(random.next() * victims.length)] as number)
      await cluster.until('the loss to be noticed', 1000, async () => {
        const overview = await cluster.rest<Overview>('/overview')
        return overview?.taskmanagers === given.taskManagers - 1
      })
      expect(performance.now() - killedAt).toBeLessThan(1000)
      cluster.startTaskManager()
      await run.expectResult()
      await report.add(await cluster.submitted(run.running))
      await cluster.waitForSlots(given.taskManagers * given.slots)
    }
    report.print()
    expect(report.restarted).toBeGreaterThanOrEqual(5)
    expect(report.restored).toBeGreaterThanOrEqual(4)
    expect(await cluster.stop()).toEqual([])
  },
)
