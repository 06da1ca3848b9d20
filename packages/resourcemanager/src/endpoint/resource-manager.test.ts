import {
  Configuration,
  type JobId,
  ManualClock,
  nullLogger,
  type ResourceId,
  SeededRandom,
  type SlotId,
} from '@flink-ts/common'
import {
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  resourceManagerGateway,
  type SlotRequest,
  type SlotStatus,
} from '@flink-ts/gateways'
import { InProcessNetwork, InProcessRpcService } from '@flink-ts/rpc'
import { describe, expect, it } from 'vitest'
import { ResourceManager } from './resource-manager.ts'

const JOB = 'a'.repeat(32) as JobId

class Setup {
  readonly clock = new ManualClock()
  readonly random = new SeededRandom(1)
  readonly logger = nullLogger
  readonly network = new InProcessNetwork({ clock: this.clock })
  readonly rpc = new InProcessRpcService({ resourceId: 'jm' as ResourceId, version: '1' }, this)
  readonly resourceManager = new ResourceManager({ configuration: Configuration.EMPTY }, this)

  constructor() {
    this.resourceManager.start()
  }

  async taskManager(name: string, slots: readonly SlotStatus[], refusals = 0) {
    const rpc = new InProcessRpcService({ resourceId: name as ResourceId, version: '1' }, this)
    const requests: SlotRequest[] = []
    let left = refusals
    const handlers = {
      requestSlot: async (request: SlotRequest) => {
        requests.push(request)
        if (left-- > 0) throw new Error('not now')
      },
    }
    const session = await rpc.connect(this.rpc.address, RESOURCE_MANAGER_ENDPOINT, {
      name: 'tm',
      handlers: () => handlers,
    })
    const gateway = session.gateway(resourceManagerGateway)
    const { instanceId } = await gateway.registerTaskExecutor({
      resourceId: name as ResourceId,
      dataAddress: `${name}:1`,
      host: name,
      slots,
      hardware: { cpuCores: 2, physicalMemoryBytes: 1024, pid: 7 },
      memory: { taskBytes: 100, networkBytes: 50 },
    })
    await this.network.settle(200)
    return { rpc, requests, gateway, instanceId, session }
  }

  async jobMaster(
    shortages: unknown[] = [],
  ): Promise<{ gateway: ResourceManagerGateway; close: () => void }> {
    const handlers = { notifyNotEnoughResources: async (info: unknown) => void shortages.push(info) }
    const session = await this.rpc.connect(this.rpc.address, RESOURCE_MANAGER_ENDPOINT, {
      name: 'job-master',
      handlers: () => handlers,
    })
    const gateway = session.gateway(resourceManagerGateway)
    await gateway.registerJobMaster({
      jobId: JOB,
      jobMasterAddress: this.rpc.address,
      jobMasterEndpoint: 'job-master/a',
    })
    return { gateway, close: () => session.close('done') }
  }
}

const free = (name: string, count: number): readonly SlotStatus[] =>
  Array.from({ length: count }, (_, i) => ({ slotId: `${name}_${i}` as SlotId, allocation: undefined }))

describe('ResourceManager', () => {
  it('gives slots to a job in either order of arrival and takes them back', async () => {
    const setup = new Setup()
    const shortages: unknown[] = []
    const job = await setup.jobMaster(shortages)
    await job.gateway.declareRequiredResources({ jobId: JOB, slots: 2 })
    await setup.network.settle()
    expect(shortages).toEqual([{ jobId: JOB, required: 2, available: 0 }])
    const tm = await setup.taskManager('tm1', free('tm1', 3))
    expect(tm.requests.map(request => request.slotId)).toEqual(['tm1_0', 'tm1_1'])
    expect(tm.requests[0]).toMatchObject({
      jobId: JOB,
      jobMasterAddress: setup.rpc.address,
      jobMasterEndpoint: 'job-master/a',
    })
    expect(setup.resourceManager.overview()).toMatchObject({ totalSlots: 3, freeSlots: 1 })
    job.close()
    await setup.network.settle()
    for (const { slotId, allocationId } of tm.requests) {
      await tm.gateway.notifySlotAvailable(tm.instanceId, slotId, allocationId)
    }
    expect(await tm.gateway.requestResourceOverview()).toMatchObject({ totalSlots: 3, freeSlots: 3 })
  })

  it('asks again after a pause when a TaskManager refuses', async () => {
    const setup = new Setup()
    const tm = await setup.taskManager('tm1', free('tm1', 1), 1)
    const job = await setup.jobMaster()
    await job.gateway.declareRequiredResources({ jobId: JOB, slots: 1 })
    await setup.network.settle(200)
    expect(tm.requests).toHaveLength(1)
    setup.clock.advance(500)
    await setup.network.settle(200)
    expect(tm.requests).toHaveLength(2)
    expect(tm.requests[1]!.allocationId).not.toBe(tm.requests[0]!.allocationId)
  })

  it('replaces what a lost TaskManager had', async () => {
    const setup = new Setup()
    const lost = await setup.taskManager('tm1', free('tm1', 1))
    const job = await setup.jobMaster()
    await job.gateway.declareRequiredResources({ jobId: JOB, slots: 1 })
    await setup.network.settle(200)
    lost.rpc.kill()
    for (let i = 0; i < 20; i++) {
      setup.clock.advance(500)
      await setup.network.settle(200)
    }
    expect(setup.resourceManager.overview().taskManagers).toEqual([])
    const tm = await setup.taskManager('tm2', free('tm2', 1))
    expect(tm.requests).toHaveLength(1)
  })

  it('keeps one registration of a TaskManager and ignores messages of an older one', async () => {
    const setup = new Setup()
    const old = await setup.taskManager('tm1', free('tm1', 2))
    const now = await setup.taskManager('tm1', free('tm1', 1))
    expect(setup.resourceManager.overview()).toMatchObject({
      totalSlots: 1,
      taskManagers: [{ instanceId: now.instanceId }],
    })
    expect(old.session.lost).toBe(true)
    await now.gateway.notifySlotAvailable(
      old.instanceId,
      'tm1_0' as SlotId,
      'x' as SlotRequest['allocationId'],
    )
  })

  it('lets a session speak only for what it registered', async () => {
    const setup = new Setup()
    const job = await setup.jobMaster()
    const other = 'b'.repeat(32) as JobId
    await expect(job.gateway.declareRequiredResources({ jobId: other, slots: 1 })).rejects.toThrow(
      /not registered/,
    )
    const slot = ['i', 's', 'x'] as unknown as Parameters<ResourceManagerGateway['notifySlotAvailable']>
    await expect(job.gateway.notifySlotAvailable(...slot)).rejects.toThrow(/before it registered/)
  })
})
