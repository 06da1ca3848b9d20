import {
  type LeaderSessionId,
  nullLogger,
  type ResourceId,
  SeededRandom,
  SystemClock,
} from '@flink-ts/common'
import { jobMasterGateway, type TaskExecutionStateUpdate } from '@flink-ts/gateways'
import { InProcessNetwork, InProcessRpcService } from '@flink-ts/rpc'
import { expect, test } from 'vitest'
import { tellTaskState } from './tell-task-state.ts'

/** A JobMaster that notes states, behind a session of messages of at most 10 kB. */
async function connected() {
  const dependencies = { clock: new SystemClock(), random: new SeededRandom(1), logger: nullLogger }
  const network = new InProcessNetwork(dependencies)
  const settings = { maxMessageBytes: 10_000 }
  const services = ['jm', 'tm'].map(
    name =>
      new InProcessRpcService(
        { resourceId: name as ResourceId, version: '1', address: name, settings },
        { ...dependencies, network },
      ),
  )
  const [jobManager, taskManager] = services as [InProcessRpcService, InProcessRpcService]
  const told: TaskExecutionStateUpdate[] = []
  jobManager.serve({
    endpointName: 'job-master',
    leaderSessionId: 'leader' as LeaderSessionId,
    acceptSession: () => ({
      updateTaskExecutionState: async (update: TaskExecutionStateUpdate): Promise<void> => {
        told.push(update)
      },
    }),
  })
  const session = await taskManager.connect('jm', 'job-master', { name: 'tm', handlers: () => ({}) })
  const close = () => Promise.all(services.map(service => service.close()))
  return { gateway: session.gateway(jobMasterGateway), told, close }
}

const finished = (accumulators: Record<string, unknown>) =>
  ({
    attemptId: 'a',
    status: 'FINISHED',
    accumulators,
    metrics: { recordsIn: 1, recordsOut: 0, bytesIn: 0, bytesOut: 0 },
  }) as unknown as TaskExecutionStateUpdate

test('a result arrives; one that is too large for a message, or no plain data, is a failure that names it', async () => {
  const { gateway, told, close } = await connected()
  await tellTaskState(gateway, finished({ count: 1 }))
  await tellTaskState(gateway, finished({ count: 1, text: 'x'.repeat(20_000) }))
  await tellTaskState(gateway, finished({ rules: [() => 1] }))
  expect(told).toMatchObject([
    { status: 'FINISHED', accumulators: { count: 1 } },
    { status: 'FAILED', error: { code: 'taskmanager.result-undeliverable' }, metrics: { recordsIn: 1 } },
    { status: 'FAILED', error: { code: 'taskmanager.result-undeliverable' } },
  ])
  expect(told[1]?.error?.message).toMatch(/results of a \(count, text\).*over the limit of 10000/)
  expect(told[2]?.error?.message).toMatch(/\(rules\).*a function/)
  await close()
})

test('what the JobMaster refuses stays refused', async () => {
  const refusing = { updateTaskExecutionState: () => Promise.reject(new Error('not registered')) }
  await expect(tellTaskState(refusing, finished({ count: 1 }))).rejects.toThrow('not registered')
})
