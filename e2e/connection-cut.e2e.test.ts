import { expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { TestCluster } from './harness/test-cluster.ts'

test('connections to the JobManager that are cut and come back at once are bridged', async () => {
  const random = seededChoices('cut')
  const cluster = await TestCluster.start({ taskManagers: 2, slots: 2, proxied: true })
  const run = new MainJobRun(cluster, { parallelism: 4, checkpointIntervalMs: 200 })
  for (let cut = 0; cut < 5; cut++) {
    await randomPause(random, 200, 700)
    cluster.proxy?.cut()
  }
  await run.expectResult()
  expect(await cluster.stop()).toEqual([])
})

test('TaskManagers that cannot reach the JobManager for three seconds free their slots, register again, and the result is the same', async () => {
  const random = seededChoices('refused')
  const cluster = await TestCluster.start({ taskManagers: 2, slots: 2, proxied: true })
  const run = new MainJobRun(cluster, { parallelism: 4, checkpointIntervalMs: 200 })
  await randomPause(random, 800, 2000)
  cluster.proxy?.refuse()
  await cluster.until('both losses to be noticed', 6000, async () => {
    const overview = await cluster.rest<{ taskmanagers: number }>('/overview')
    return overview?.taskmanagers === 0
  })
  await randomPause(random, 2000, 3000)
  cluster.proxy?.restore()
  await run.expectResult()
  await cluster.waitForSlots(4)
  expect(await cluster.stop()).toEqual([])
})
