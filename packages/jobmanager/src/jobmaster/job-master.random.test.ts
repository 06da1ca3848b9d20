import { SeededRandom } from '@flink-ts/common'
import { describe, expect, it } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph, withCoordinator } from '../testing/sample-graph.ts'

const EDGES = ['source>sink', 'source>sink:forward', 'source>sink:rescale']

/** One job through a random course of losses, failures and ends of data; then it is left in peace. */
async function run(seed: number): Promise<{ failures: number; status: string }> {
  const random = new SeededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.next() * from.length)]!
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  for (let i = 0; i < 3; i++) cluster.addTaskManager(1)
  const checkpointing = { intervalMs: 300, maxConcurrent: 1 + (seed % 2), tolerableFailures: 5 }
  const graph = sampleGraph('source*3 sink*3', pick(EDGES), { checkpointing })
  // Every third job has a part in the job host.
  const job = cluster.startJob(seed % 3 === 0 ? withCoordinator(graph) : graph)
  for (let i = 0; i < 30 && job.overview().status !== 'FINISHED'; i++) {
    const dice = random.next()
    const taskManager = pick(cluster.taskManagers)
    const attemptId = [...taskManager.tasks.keys()][0]
    if (dice < 0.05 && cluster.jobHosts.deployments.length > 0) {
      cluster.jobHosts.lose()
    } else if (dice < 0.12) {
      taskManager.kill()
      cluster.addTaskManager(1)
    } else if (dice < 0.2 && attemptId !== undefined) {
      await taskManager.report(attemptId, 'FAILED', 'boom')
    } else if (dice < 0.3) {
      cluster.storage.failing = !cluster.storage.failing
    } else if (dice < 0.45) {
      await taskManager.endOfData()
    } else {
      await cluster.advance(Math.floor(random.next() * 900))
    }
    if (random.next() < 0.5) await cluster.settle()
  }
  cluster.storage.failing = false
  for (let i = 0; i < 60 && job.overview().status !== 'FINISHED'; i++) {
    await cluster.advance(1000)
    for (const taskManager of cluster.taskManagers) await taskManager.endOfData()
  }
  await cluster.settle()
  const { status } = job.overview()
  expect(status, `seed ${seed}`).toBe('FINISHED')
  // A TaskManager that was just killed is waited for.
  await cluster.advance(2000)
  await job.result()
  expect(cluster.storage.checkpoints.size, `seed ${seed}`).toBe(0)
  expect(cluster.storage.jobDiscarded, `seed ${seed}`).toBe(true)
  expect(cluster.required, `seed ${seed}`).toBe(0)
  expect(cluster.jobHosts.reserved.size, `seed ${seed}`).toBe(0)
  expect(
    cluster.taskManagers.flatMap(t => [...t.tasks.keys()]),
    `seed ${seed}`,
  ).toEqual([])
  const { triggered, completed, failed, inProgress } = job.details().checkpoints
  expect(completed + failed + inProgress, `seed ${seed}`).toBe(triggered)
  return { failures: job.details().failures.length, status }
}

describe('JobMaster under a random course of failures', () => {
  it('always comes to its end and leaves nothing behind', { timeout: 60_000 }, async () => {
    let failures = 0
    for (let seed = 1; seed <= 60; seed++) failures += (await run(seed)).failures
    expect(failures).toBeGreaterThan(60)
  })
})
