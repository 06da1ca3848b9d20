import type { ExecutionAttemptId, OperatorId } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
import { describe, expect, it } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph, withCoordinator } from '../testing/sample-graph.ts'

/** A job whose source has a coordinator. */
function coordinatedGraph(intervalMs: number | undefined, edge = 'source>sink'): JobGraph {
  const checkpointing = { intervalMs, tolerableFailures: 0 }
  return withCoordinator(sampleGraph('source*2 sink*2', edge, { checkpointing }))
}

async function running(intervalMs: number | undefined, edge?: string, taskManagers = 1) {
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  for (let i = 0; i < taskManagers; i++) cluster.addTaskManager(2 / taskManagers)
  const graph = coordinatedGraph(intervalMs, edge)
  const job = cluster.startJob(graph, {
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': '10',
    'restart-strategy.fixed-delay.delay': '0 ms',
  })
  await cluster.settle()
  const operatorId = graph.vertices[0]!.operators[0]!.operatorId
  const { jobHosts } = cluster
  const attemptOf = (index: number): ExecutionAttemptId => {
    for (const taskManager of cluster.taskManagers)
      for (const task of taskManager.tasks.values())
        if (task.vertexId === graph.vertices[0]!.id && task.subtaskIndex === index) return task.attemptId
    throw new Error(`no source ${index}`)
  }
  const say = (attemptId: ExecutionAttemptId, text: string): void =>
    jobHosts.report({
      type: 'event',
      operatorId: operatorId as OperatorId,
      subtaskIndex: 0,
      attemptId,
      event: Buffer.from(text),
    })
  return { cluster, job, graph, operatorId, jobHosts, attemptOf, say }
}

describe('coordinators of a job', () => {
  it('a job without them needs no job host', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(2)
    cluster.startJob(sampleGraph('source*2 sink*2', 'source>sink'))
    await cluster.settle()
    expect(cluster.jobHosts.calls).toEqual([])
    expect(cluster.jobHosts.reserved.size).toBe(0)
  })

  it('carries events of current attempts both ways, and drops all others', async () => {
    const { cluster, jobHosts, operatorId, attemptOf, say } = await running(undefined)
    const [taskManager] = cluster.taskManagers
    const first = attemptOf(0)
    await taskManager!.jobMaster().sendOperatorEvent(first, operatorId, Buffer.from('hello'))
    say(first, 'welcome')
    await cluster.settle()
    expect(jobHosts.calls).toEqual(['start 1 from nothing', 'event 0 hello'])
    expect(taskManager!.events).toEqual([{ attemptId: first, event: 'welcome' }])
    await taskManager!.report(first, 'FAILED', 'boom')
    await cluster.advance(10)
    await taskManager!.jobMaster().sendOperatorEvent(first, operatorId, Buffer.from('ghost'))
    say(first, 'to a ghost')
    await cluster.settle()
    expect(jobHosts.calls.slice(2)).toEqual(['reset 0,1 to nothing'])
    expect(taskManager!.events).toHaveLength(1)
  })

  it('has the coordinators snapshotted first, then triggers, and stores both', async () => {
    const { cluster, job, jobHosts, operatorId } = await running(100)
    jobHosts.snapshots = false
    const [taskManager] = cluster.taskManagers
    await cluster.advance(100)
    expect(jobHosts.calls).toContain('snapshot 1')
    expect(taskManager!.calls.filter(call => call.startsWith('trigger'))).toEqual([])
    jobHosts.report({
      type: 'snapshot',
      checkpointId: 1,
      states: [{ operatorId, state: Buffer.from('pending splits') }],
    })
    await cluster.settle()
    expect(taskManager!.calls.filter(call => call.startsWith('trigger'))).toEqual(['trigger 1 (2)'])
    expect(job.details().checkpoints.completed).toBe(1)
    expect(jobHosts.calls).toContain('complete 1')
    // A second answer says nothing.
    jobHosts.report({ type: 'snapshot', checkpointId: 1, states: [] })
    await cluster.settle()
    expect(taskManager!.calls.filter(call => call.startsWith('trigger'))).toHaveLength(1)
  })

  it('restarts everything from the checkpoint when the job host is lost', async () => {
    const { cluster, job, jobHosts } = await running(100)
    await cluster.advance(100)
    expect(job.details().checkpoints.completed).toBe(1)
    jobHosts.lose()
    await cluster.advance(10)
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
    expect(jobHosts.calls.at(-1)).toBe('start 2 from 1')
    expect(jobHosts.deployments[1]?.states.map(({ state }) => Buffer.from(state).toString())).toEqual([
      'state 1',
    ])
    expect(job.details().failures).toHaveLength(1)
  })

  it('resets only the subtasks of the region that restarts, to the checkpoint it starts from', async () => {
    const { cluster, jobHosts } = await running(100, 'source>sink:forward', 2)
    await cluster.advance(100)
    cluster.taskManagers[1]!.kill()
    cluster.addTaskManager(1)
    await cluster.advance(2000)
    expect(jobHosts.deployments).toHaveLength(1)
    expect(jobHosts.calls.filter(call => call.startsWith('reset'))).toHaveLength(1)
    expect(jobHosts.calls.find(call => call.startsWith('reset'))).toMatch(/^reset [01] to 1$/)
  })

  it('counts a coordinator that cannot be snapshotted as a failed checkpoint; too many restart all', async () => {
    const { cluster, job, jobHosts } = await running(100)
    jobHosts.snapshots = false
    await cluster.advance(100)
    jobHosts.report({
      type: 'snapshot-failed',
      checkpointId: 1,
      reason: { name: 'Error', message: 'not now' },
    })
    await cluster.advance(10)
    expect(job.details().checkpoints.failed).toBe(1)
    expect(jobHosts.calls).toContain('stop 1')
    expect(jobHosts.calls.at(-1)).toBe('start 2 from nothing')
    expect(job.overview().status).toBe('RUNNING')
  })

  it('ends them with the job, and lets go of the job host', async () => {
    const { cluster, job, jobHosts } = await running(undefined)
    expect(jobHosts.reserved.size).toBe(1)
    await job.cancel()
    await cluster.settle()
    await job.result()
    expect(jobHosts.calls.at(-1)).toBe('stop 1')
    expect(jobHosts.reserved.size).toBe(0)
  })
})
