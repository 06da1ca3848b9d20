import type { ExecutionAttemptId } from '@flink-ts/common'
import { jobMasterEndpointName, jobMasterGateway } from '@flink-ts/gateways'
import { describe, expect, it } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph } from '../testing/sample-graph.ts'

async function runningJob() {
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  const tm = cluster.addTaskManager(2)
  const graph = sampleGraph('source*2 sink*2', 'source>sink')
  const job = cluster.startJob(graph)
  await cluster.settle()
  const connect = async () => {
    const local = { name: 'task-executor', handlers: () => ({}) }
    const session = await tm.rpc.connect(cluster.rpc.address, jobMasterEndpointName(graph.jobId), local)
    return { session, gateway: session.gateway(jobMasterGateway) }
  }
  return { cluster, tm, job, connect }
}
const metrics = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

describe('session of a TaskManager with a JobMaster', () => {
  it('ignores a repeated registration, and what concerns other attempts', async () => {
    const { cluster, tm, job } = await runningJob()
    await tm.jobMaster().registerTaskManager({ resourceId: tm.resourceId, dataAddress: 'tm1:1' })
    const foreign = 'g_x_0_0' as ExecutionAttemptId
    await tm.jobMaster().updateTaskExecutionState({ attemptId: foreign, status: 'FAILED', metrics })
    await tm.jobMaster().notifyEndOfData(foreign)
    await tm
      .jobMaster()
      .declineCheckpoint({ attemptId: foreign, checkpointId: 1, reason: { name: 'E', message: '' } })
    await cluster.settle()
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
  })

  it('takes a new registration of the same TaskManager as the loss of the old one', async () => {
    const { cluster, tm, job, connect } = await runningJob()
    const { gateway } = await connect()
    await gateway.registerTaskManager({ resourceId: tm.resourceId, dataAddress: 'tm1:1' })
    await cluster.settle()
    expect(job.overview()).toMatchObject({ status: 'RESTARTING', tasks: { FAILED: 4 } })
    expect(job.details().failures).toMatchObject([{ error: { code: 'jobmanager.task-manager-lost' } }])
  })

  it('lets nobody talk who has not registered', async () => {
    const { connect } = await runningJob()
    const { gateway } = await connect()
    await expect(gateway.offerSlots([])).rejects.toMatchObject({
      code: 'jobmanager.task-manager-not-registered',
    })
  })

  it('shows what tasks report', async () => {
    const { tm, job } = await runningJob()
    const [attemptId] = tm.tasks.keys()
    await tm.jobMaster().reportTaskMetrics({ [attemptId!]: { ...metrics, recordsIn: 42 }, other: metrics })
    expect(job.details().vertices[0]!.subtasks[0]!.metrics.recordsIn).toBe(42)
  })
})
