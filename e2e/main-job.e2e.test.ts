import { afterAll, beforeAll, expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { TestCluster } from './harness/test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

test.each([1, 2, 3, 4])('the main job gives the expected rows at parallelism %i', async parallelism => {
  await new MainJobRun(cluster, { parallelism, checkpointIntervalMs: 200 }).expectResult()
})
