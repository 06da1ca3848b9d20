import {
  type AllocationId,
  Configuration,
  type ExecutionAttemptId,
  ManualClock,
  nullLogger,
  type ResourceId,
  SeededRandom,
  slotIdOf,
} from '@flink-ts/common'
import {
  type CheckpointTrigger,
  type JobMasterGateway,
  type JobOver,
  jobMasterGateway,
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  type SlotRequest,
  type TaskDeployment,
  type TaskExecutionStatus,
  type TaskExecutorGateway,
} from '@flink-ts/gateways'
import type { JobProgress } from '@flink-ts/highavailability'
import type { JobGraph } from '@flink-ts/jobgraph'
import { InProcessNetwork, InProcessRpcService, type RpcEndpoint, type RpcSession } from '@flink-ts/rpc'
import type { CheckpointStorage, OperatorSubtaskState, SavepointStorage } from '@flink-ts/state'
import { JobMaster } from '../jobmaster/job-master.ts'
import type { JobRecording } from '../jobmaster/job-master-ports.ts'
import { FakeJobHosts } from './fake-job-hosts.ts'
import { MemoryCheckpointStorage } from './memory-checkpoint-storage.ts'
import { MemorySavepointStorage } from './memory-savepoint-storage.ts'

const METRICS = { recordsIn: 1, recordsOut: 2, bytesIn: 3, bytesOut: 4 }

/** What a fake TaskManager does by itself; tests switch parts off to stop a job in a certain phase. */
export interface Behaviour {
  offers: boolean
  runs: boolean
  acknowledges: boolean
  cancels: boolean
  finishes: boolean
  /** Whether it takes the news of a complete checkpoint. */
  hearsCompletion: boolean
}

/** For tests: a TaskManager that runs nothing but speaks the protocol. */
export class FakeTaskManager {
  readonly behaviour: Behaviour = {
    offers: true,
    runs: true,
    acknowledges: true,
    cancels: true,
    finishes: true,
    hearsCompletion: true,
  }
  readonly calls: string[] = []
  /** Told with the last slot. */
  jobOver: JobOver | undefined
  readonly events: { readonly attemptId: ExecutionAttemptId; readonly event: string }[] = []
  readonly tasks = new Map<ExecutionAttemptId, TaskDeployment>()
  readonly resourceId: ResourceId
  readonly rpc: InProcessRpcService
  readonly slots: (SlotRequest | undefined)[]
  readonly #cluster: FakeCluster
  readonly #endOfData = new Set<ExecutionAttemptId>()
  #session: Promise<RpcSession> | undefined
  #jobMaster: JobMasterGateway | undefined

  constructor(name: string, slots: number, cluster: FakeCluster) {
    this.resourceId = name as ResourceId
    this.#cluster = cluster
    this.rpc = new InProcessRpcService({ resourceId: this.resourceId, version: '1' }, cluster)
    this.slots = Array.from({ length: slots }, () => undefined)
  }

  async requestSlot(index: number, request: SlotRequest): Promise<void> {
    this.slots[index] = request
    this.#session ??= this.rpc.connect(request.jobMasterAddress, request.jobMasterEndpoint, {
      name: 'task-executor',
      handlers: () => this.#handlers(),
    })
    const session = await this.#session
    if (this.#jobMaster === undefined) {
      this.#jobMaster = session.gateway(jobMasterGateway)
      await this.#jobMaster.registerTaskManager({
        resourceId: this.resourceId,
        dataAddress: `${this.resourceId}:1`,
      })
    }
    if (this.behaviour.offers) await this.offer(index)
  }

  async offer(index: number): Promise<void> {
    const { allocationId, slotId } = this.slots[index]!
    const accepted = await this.#jobMaster!.offerSlots([{ allocationId, slotId }])
    if (!accepted.includes(allocationId)) this.slots[index] = undefined
  }

  jobMaster(): JobMasterGateway {
    return this.#jobMaster!
  }

  async report(attemptId: ExecutionAttemptId, status: TaskExecutionStatus, message?: string): Promise<void> {
    if (status === 'FINISHED' || status === 'CANCELED' || status === 'FAILED') this.tasks.delete(attemptId)
    const error = message === undefined ? undefined : { name: 'Error', message }
    const accumulators = status === 'FINISHED' ? { records: 10, rows: [attemptId.length] } : undefined
    await this.#jobMaster!.updateTaskExecutionState({
      attemptId,
      status,
      error,
      accumulators,
      metrics: METRICS,
    })
  }

  async acknowledge(attemptId: ExecutionAttemptId, checkpointId: number): Promise<void> {
    const task = this.tasks.get(attemptId)!
    const vertex = task.job.graph.vertices.find(candidate => candidate.id === task.vertexId)!
    const operators = vertex.operators.map(
      ({ operatorId }): OperatorSubtaskState => ({
        operatorId,
        keyed: [],
        operator: [
          {
            states: [{ name: 'positions', mode: 'split', offsets: [0] }],
            location: { type: 'file', path: `chk-${checkpointId}/${attemptId}`, sizeBytes: 100 },
          },
        ],
      }),
    )
    await this.#jobMaster!.acknowledgeCheckpoint({
      attemptId,
      checkpointId,
      state: { operators },
      metrics: { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0, stateBytes: 100 },
    })
  }

  async endOfData(): Promise<void> {
    for (const attemptId of this.tasks.keys()) {
      this.#endOfData.add(attemptId)
      await this.#jobMaster!.notifyEndOfData(attemptId)
    }
  }

  /** As kill -9: everybody learns by the loss of the connection. */
  kill(): void {
    this.rpc.kill()
    this.#cluster.gone(this)
  }

  #handlers(): TaskExecutorGateway {
    return {
      requestSlot: async () => {},
      inspect: async () => ({}),
      freeSlot: async (allocationId, _, jobOver) => {
        this.jobOver = jobOver
        this.calls.push(`free ${allocationId}`)
        const index = this.slots.findIndex(slot => slot?.allocationId === allocationId)
        if (index >= 0) this.slots[index] = undefined
      },
      submitTasks: async ({ job, tasks }) => {
        for (const task of tasks) {
          this.calls.push(`submit ${task.vertexId}/${task.subtaskIndex}#${task.attemptNumber}`)
          this.tasks.set(task.attemptId, { ...task, job })
        }
        if (this.behaviour.runs) await this.run()
      },
      cancelTask: async attemptId => {
        if (this.behaviour.cancels && this.tasks.has(attemptId)) await this.report(attemptId, 'CANCELED')
      },
      triggerCheckpoint: async (attemptIds, trigger) => {
        this.calls.push(`trigger ${trigger.checkpointId} (${attemptIds.length})`)
        if (trigger.savepoint !== false && trigger.savepoint.suspend) {
          this.#cluster.suspendedBy = trigger.checkpointId
        }
        await this.#cluster.barrier(trigger)
      },
      drainSources: async attemptIds => {
        this.calls.push(`drain (${attemptIds.length})`)
        await this.#cluster.endOfData()
      },
      notifyCheckpointComplete: async (attemptIds, checkpointId) => {
        this.calls.push(`complete ${checkpointId} (${attemptIds.length})`)
        if (!this.behaviour.hearsCompletion) throw new Error('too busy')
        if (!this.behaviour.finishes) return
        const suspended = this.#cluster.suspendedBy === checkpointId
        for (const attemptId of attemptIds) {
          if (suspended || this.#endOfData.has(attemptId)) await this.report(attemptId, 'FINISHED')
        }
      },
      notifyCheckpointAborted: async (_, checkpointId) => {
        this.calls.push(`aborted ${checkpointId}`)
      },
      sendOperatorEvent: async (attemptId, _, event) => {
        this.calls.push(`event ${Buffer.from(event).toString()}`)
        this.events.push({ attemptId, event: Buffer.from(event).toString() })
      },
    }
  }

  async run(): Promise<void> {
    for (const attemptId of [...this.tasks.keys()]) await this.report(attemptId, 'INITIALIZING')
    for (const attemptId of [...this.tasks.keys()]) await this.report(attemptId, 'RUNNING')
  }
}

/** For tests: a JobMaster among fake TaskManagers and a fake ResourceManager, in virtual time. */
export class FakeCluster implements RpcEndpoint {
  readonly endpointName = RESOURCE_MANAGER_ENDPOINT
  readonly leaderSessionId = 'rm' as RpcEndpoint['leaderSessionId']
  readonly clock = new ManualClock()
  readonly random = new SeededRandom(1)
  readonly logger = nullLogger
  readonly network = new InProcessNetwork({ clock: this.clock })
  readonly storage = new MemoryCheckpointStorage()
  readonly savepoints = new MemorySavepointStorage()
  readonly rpc = new InProcessRpcService({ resourceId: 'jm' as ResourceId, version: '1' }, this)
  readonly taskManagers: FakeTaskManager[] = []
  readonly jobHosts = new FakeJobHosts()
  required = 0
  /** The savepoint that stops the job. */
  suspendedBy: number | undefined
  #target: { readonly address: string; readonly endpoint: string } | undefined
  #allocations = 0
  #started = 0

  startResourceManager(): void {
    this.rpc.serve(this)
  }

  addTaskManager(slots: number, change: Partial<Behaviour> = {}): FakeTaskManager {
    const taskManager = new FakeTaskManager(`tm${++this.#started}`, slots, this)
    Object.assign(taskManager.behaviour, change)
    this.taskManagers.push(taskManager)
    this.assign()
    return taskManager
  }

  startJob(
    graph: JobGraph,
    configuration: Readonly<Record<string, string>> = {},
    { progress, recording }: { readonly progress?: JobProgress; readonly recording?: JobRecording } = {},
  ): JobMaster {
    const { rpc, clock, random, logger, storage } = this
    const record = {
      args: [],
      randomSeed: 0,
      clockReadings: [],
      environment: {},
      captures: {},
      earlierResults: [],
    }
    const program = { code: { type: 'module' as const, url: 'file:///job.ts' }, record, executeIndex: 0 }
    const jobMaster = new JobMaster(
      {
        submission: { graph, program },
        configuration: Configuration.of(configuration),
        resourceManagerAddress: rpc.address,
        blobAddress: rpc.address,
        progress,
      },
      {
        recording,
        ...{ rpc, clock, random, logger },
        storageFactory: () => storage as unknown as CheckpointStorage,
        savepoints: this.savepoints as unknown as SavepointStorage,
        jobHosts: this.jobHosts,
      },
    )
    jobMaster.start()
    return jobMaster
  }

  /** Lets everything happen that is under way. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.network.settle(100)
      this.clock.advance(0)
    }
    await this.network.settle(100)
  }

  async advance(ms: number): Promise<void> {
    // In steps that heartbeats can follow.
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(left, 500))
      await this.settle()
    }
  }

  acceptSession(): ResourceManagerGateway {
    return {
      registerTaskExecutor: async () => ({ instanceId: 'i' as never }),
      notifySlotAvailable: async () => {},
      withdrawFreeSlots: async () => {},
      registerJobMaster: async ({ jobMasterAddress, jobMasterEndpoint }) => {
        this.#target = { address: jobMasterAddress, endpoint: jobMasterEndpoint }
      },
      declareRequiredResources: async ({ slots }) => {
        this.required = slots
        this.assign()
      },
      requestResourceOverview: async () => ({ taskManagers: [], totalSlots: 0, freeSlots: 0 }),
      inspectTaskManager: async () => ({}),
    }
  }

  /** Gives free slots to the job as long as it needs some. */
  assign(): void {
    const target = this.#target
    if (target === undefined) return
    let missing =
      this.required - this.taskManagers.flatMap(t => t.slots).filter(slot => slot !== undefined).length
    for (const taskManager of this.taskManagers) {
      for (let index = 0; index < taskManager.slots.length && missing > 0; index++) {
        if (taskManager.slots[index] !== undefined) continue
        missing--
        const request: SlotRequest = {
          slotId: slotIdOf(taskManager.resourceId, index),
          jobId: 'a'.repeat(32) as SlotRequest['jobId'],
          allocationId: `allocation-${++this.#allocations}` as AllocationId,
          jobMasterAddress: target.address,
          jobMasterEndpoint: target.endpoint,
        }
        // A TaskManager that is killed meanwhile rejects: the job master learns of it by itself.
        taskManager.requestSlot(index, request).catch(() => {})
      }
    }
  }

  gone(taskManager: FakeTaskManager): void {
    this.taskManagers.splice(this.taskManagers.indexOf(taskManager), 1)
    this.assign()
  }

  /** All tasks have emitted everything. */
  async endOfData(): Promise<void> {
    for (const taskManager of this.taskManagers) await taskManager.endOfData()
  }

  /** All tasks see the barrier. */
  async barrier({ checkpointId }: CheckpointTrigger): Promise<void> {
    for (const taskManager of this.taskManagers) {
      if (!taskManager.behaviour.acknowledges) continue
      for (const attemptId of taskManager.tasks.keys()) await taskManager.acknowledge(attemptId, checkpointId)
    }
  }
}
