import { expect, test } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph } from '../testing/sample-graph.ts'

async function setUp(checkpoints: boolean) {
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  const [first, second] = [cluster.addTaskManager(1), cluster.addTaskManager(1)]
  const sample = sampleGraph('source*2 sink*2', 'source>sink')
  const checkpointing = { ...sample.checkpointing, ...(!checkpoints && { intervalMs: undefined }) }
  // No restart is allowed: this is none.
  const job = cluster.startJob({ ...sample, checkpointing }, { 'restart-strategy.type': 'none' })
  await cluster.settle()
  expect(job.overview().tasks.RUNNING).toBe(4)
  return { cluster, first, second, job }
}

test('a TaskManager that drains: a checkpoint is taken, then its tasks start elsewhere from it, and that is no failure', async () => {
  const { cluster, first, second, job } = await setUp(true)
  const draining = first.jobMaster().notifyDraining()
  await cluster.settle()
  await draining
  expect(job.details().checkpoints.completed).toBe(1)
  await cluster.settle()
  expect(first.calls.filter(call => call.startsWith('free'))).toHaveLength(1)
  expect(first.tasks.size).toBe(0)
  // Its slots are nobody's any more.
  first.slots.length = 0
  expect(job.overview().status).toBe('RUNNING')
  const third = cluster.addTaskManager(1)
  await cluster.settle()
  expect(job.overview().tasks.RUNNING).toBe(4)
  expect([second.tasks.size, third.tasks.size]).toEqual([2, 2])
  expect([...third.tasks.values()].map(task => task.restore?.checkpointId)).toEqual([1, 1])
  expect(job.details()).toMatchObject({ restarts: 1, failures: [] })
})

test('without checkpoints everything runs on', async () => {
  const { cluster, first, job } = await setUp(false)
  await first.jobMaster().notifyDraining()
  await cluster.settle()
  expect(job.overview().tasks.RUNNING).toBe(4)
  expect(job.details().restarts).toBe(0)
})

test('when no checkpoint can be taken everything runs on', async () => {
  const { cluster, first, job } = await setUp(true)
  first.behaviour.acknowledges = false
  const draining = first.jobMaster().notifyDraining()
  await cluster.settle()
  await job.cancel()
  await cluster.advance(1000)
  await draining
  expect(job.overview().status).toBe('CANCELED')
})

test('a second TaskManager that drains while the job restarts from the first: nothing new starts there, and no failure is counted', async () => {
  const { cluster, first, second, job } = await setUp(true)
  // The restart waits for the tasks of the second one.
  second.behaviour.cancels = false
  await first.jobMaster().notifyDraining()
  await cluster.settle()
  expect(job.overview().status).toBe('RESTARTING')
  const draining = second.jobMaster().notifyDraining()
  await cluster.settle()
  for (const attemptId of [...second.tasks.keys()]) await second.report(attemptId, 'CANCELED')
  await cluster.settle()
  // Both have given their slots back.
  for (const left of [first, second]) {
    expect(left.calls.filter(call => call.startsWith('free'))).toHaveLength(1)
    left.slots.length = 0
  }
  const spares = [cluster.addTaskManager(1), cluster.addTaskManager(1)]
  await cluster.advance(1000)
  await draining
  await cluster.settle()
  expect(spares.map(({ tasks }) => tasks.size)).toEqual([2, 2])
  expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
  expect(job.details()).toMatchObject({ restarts: 1, failures: [] })
})

test('a TaskManager that drains while the job waits for slots gives back what it has of it', async () => {
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  const only = cluster.addTaskManager(1)
  const job = cluster.startJob(sampleGraph('source*2 sink*2', 'source>sink'))
  await cluster.settle()
  expect(job.overview().tasks.SCHEDULED).toBe(4)
  await only.jobMaster().notifyDraining()
  await cluster.settle()
  expect(only.calls.filter(call => call.startsWith('free'))).toHaveLength(1)
  only.slots.length = 0
  const others = [cluster.addTaskManager(1), cluster.addTaskManager(1)]
  await cluster.settle()
  expect(others.map(({ tasks }) => tasks.size)).toEqual([2, 2])
})
