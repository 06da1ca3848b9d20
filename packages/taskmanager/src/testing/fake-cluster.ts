import { pathToFileURL } from 'node:url'
import {
  type AllocationId,
  Configuration,
  type ExecutionAttemptId,
  type InstanceId,
  type JobId,
  nullLogger,
  type ResourceId,
  SeededRandom,
  type SerializedError,
  type SlotId,
  SystemClock,
} from '@flink-ts/common'
import {
  type CheckpointAcknowledgement,
  type CheckpointDecline,
  type EdgeDeployment,
  type JobMasterGateway,
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  type SlotOffer,
  type TaskDeployment,
  type TaskExecutionStateUpdate,
  type TaskExecutorGateway,
  type TaskExecutorRegistration,
  taskExecutorGateway,
} from '@flink-ts/gateways'
import type { JobGraph } from '@flink-ts/jobgraph'
import { NetworkThreadClient } from '@flink-ts/network'
import { InProcessNetwork, InProcessRpcService, type RpcSession } from '@flink-ts/rpc'
import { TaskExecutor } from '../executor/task-executor.ts'
import { WorkerSlotThreads } from '../slots/worker-slot-threads.ts'
import { taskExecutorSettingsOf } from '../taskmanager-options.ts'
import { type TestProgramOptions, testGraph } from './test-program.ts'

const JOB_MASTER = 'job-master/test'
const EXEC_ARGV = ['--conditions=@flink-ts/source']

/** One TaskManager of a {@link FakeCluster}, with real slot threads and a real network thread. */
export interface FakeTaskManager {
  readonly name: ResourceId
  readonly executor: TaskExecutor
  readonly network: NetworkThreadClient
  readonly rpc: InProcessRpcService
  readonly slotThreads: WorkerSlotThreads
  readonly dataAddress: string
}

/** ResourceManager and JobMaster by hand, TaskExecutors for real, in one process. For tests. */
export class FakeCluster {
  readonly clock = new SystemClock()
  readonly network = new InProcessNetwork({ clock: this.clock })
  readonly rpc: InProcessRpcService
  readonly registrations: TaskExecutorRegistration[] = []
  readonly freed: { slotId: SlotId; allocationId: AllocationId }[] = []
  readonly offers: SlotOffer[] = []
  readonly updates: TaskExecutionStateUpdate[] = []
  readonly acknowledged: CheckpointAcknowledgement[] = []
  readonly declined: CheckpointDecline[] = []
  readonly endOfData: ExecutionAttemptId[] = []
  /** How often a JobMaster heard that its TaskManager drains. */
  jobsDraining = 0
  readonly failedSlots: { allocationId: AllocationId; cause: SerializedError }[] = []
  /** Registrations that take no more work. */
  readonly draining: InstanceId[] = []
  metricsReports = 0
  readonly storedResults: Uint8Array[] = []
  readonly operatorEvents: { readonly attemptId: string; readonly event: string }[] = []
  acceptOffers = true
  readonly taskManagers: FakeTaskManager[] = []
  readonly #random = new SeededRandom(1)
  readonly #resourceSessions = new Map<string, RpcSession>()
  readonly #jobSessions = new Map<string, RpcSession>()
  #epoch = 0

  constructor() {
    this.rpc = this.#service('jobmanager')
  }

  serveResourceManager(): void {
    this.rpc.serve({
      endpointName: RESOURCE_MANAGER_ENDPOINT,
      leaderSessionId: 'term' as never,
      acceptSession: session => {
        const handlers: Pick<
          ResourceManagerGateway,
          'registerTaskExecutor' | 'notifySlotAvailable' | 'withdrawFreeSlots'
        > = {
          registerTaskExecutor: async registration => {
            this.registrations.push(registration)
            this.#resourceSessions.set(registration.resourceId, session)
            return { instanceId: `instance-${this.registrations.length}` as InstanceId }
          },
          notifySlotAvailable: async (_instance, slotId, allocationId) => {
            this.freed.push({ slotId, allocationId })
          },
          withdrawFreeSlots: async instance => {
            this.draining.push(instance)
          },
        }
        return handlers
      },
    })
  }

  serveJobMaster(): void {
    this.rpc.serve({
      endpointName: JOB_MASTER,
      leaderSessionId: 'term' as never,
      acceptSession: session => {
        const handlers: JobMasterGateway = {
          registerTaskManager: async ({ resourceId }) => {
            this.#jobSessions.set(resourceId, session)
          },
          offerSlots: async offers => {
            this.offers.push(...offers)
            return this.acceptOffers ? offers.map(offer => offer.allocationId) : []
          },
          failSlot: async (allocationId, cause) => {
            this.failedSlots.push({ allocationId, cause })
          },
          notifyDraining: async () => {
            this.jobsDraining++
          },
          updateTaskExecutionState: async update => {
            this.updates.push(update)
          },
          acknowledgeCheckpoint: async acknowledgement => {
            this.acknowledged.push(acknowledgement)
          },
          declineCheckpoint: async decline => {
            this.declined.push(decline)
          },
          notifyEndOfData: async attemptId => {
            this.endOfData.push(attemptId)
          },
          sendOperatorEvent: async (attemptId, _, event) => {
            this.operatorEvents.push({ attemptId, event: Buffer.from(event).toString() })
          },
          reportTaskMetrics: async () => {
            this.metricsReports++
          },
        }
        return handlers
      },
    })
  }

  /** Cuts the sessions of the JobMaster, or of the ResourceManager, and forgets the endpoint. */
  withdraw(what: 'job-master' | 'resource-manager'): void {
    this.rpc.withdraw(what === 'job-master' ? JOB_MASTER : RESOURCE_MANAGER_ENDPOINT)
  }

  async taskManager(
    name: string,
    slots: number,
    configuration: Record<string, string> = {},
  ): Promise<FakeTaskManager> {
    const network = new NetworkThreadClient({ execArgv: EXEC_ARGV })
    const { port } = await network.start()
    const rpc = this.#service(name)
    const dataAddress = `127.0.0.1:${port}`
    const slotThreads = new WorkerSlotThreads(
      {
        entryUrl: new URL('./slot-thread-entry.ts', import.meta.url),
        execArgv: EXEC_ARGV,
        keepSpare: true,
      },
      { clock: this.clock },
    )
    const executor = new TaskExecutor(
      {
        resourceId: name as ResourceId,
        slots,
        dataAddress,
        host: name,
        hardware: { cpuCores: 1, physicalMemoryBytes: 1, pid: 1 },
        resourceManagerAddress: this.rpc.address,
        settings: taskExecutorSettingsOf(Configuration.of(configuration), slots),
        threadLogger: { level: 'error' },
      },
      {
        rpc,
        clock: this.clock,
        random: this.#random,
        logger: nullLogger,
        network,
        monitor: {
          requestMetrics: async () => ({}),
          listLogs: async () => [],
          readLog: async () => new Uint8Array(),
          requestThreadDump: async () => [],
          requestProfile: async () => ({ name: 'root', value: 0, children: [] }),
        },
        blobs: {
          put: async (_address, content) => {
            this.storedResults.push(content as Uint8Array)
            return `blob-${this.storedResults.length}`
          },
        },
        bundles: {
          moduleUrl: async ({ program }) => (program.code.type === 'module' ? program.code.url : ''),
          release: async () => {},
        },
        cachedFiles: { paths: () => ({}), fetch: async () => {}, release: async () => {} },
        slotThreads,
      },
    )
    const made = { name: name as ResourceId, executor, network, rpc, slotThreads, dataAddress }
    this.taskManagers.push(made)
    executor.start()
    return made
  }

  /** The ResourceManager's side of a TaskManager. */
  toResource(taskManager: FakeTaskManager): TaskExecutorGateway {
    return this.#resourceSessions.get(taskManager.name)!.gateway(taskExecutorGateway)
  }

  /** The JobMaster's side of a TaskManager. */
  toJob(taskManager: FakeTaskManager): TaskExecutorGateway {
    return this.#jobSessions.get(taskManager.name)!.gateway(taskExecutorGateway)
  }

  /** Gives a slot to the test job and waits until it is offered. Returns its allocation. */
  async allocate(taskManager: FakeTaskManager, slot: number): Promise<AllocationId> {
    const allocationId = `${taskManager.name}-${slot}-${++this.#epoch}` as AllocationId
    await this.toResource(taskManager).requestSlot({
      slotId: `${taskManager.name}_${slot}` as SlotId,
      jobId: testGraph({ parallelism: 1 }).jobId,
      allocationId,
      jobMasterAddress: this.rpc.address,
      jobMasterEndpoint: JOB_MASTER,
    })
    await this.until(
      () => this.offers.some(offer => offer.allocationId === allocationId),
      `offer of ${allocationId}`,
    )
    return allocationId
  }

  /** Deploys the test job, subtask i of both vertices into the i-th of `places`. Returns the attempt ids by place. */
  async deploy(
    options: TestProgramOptions,
    places: readonly { readonly taskManager: FakeTaskManager; readonly allocationId: AllocationId }[],
    extra: {
      readonly checkpointDirectory?: string
      readonly restore?: readonly CheckpointAcknowledgement[]
    } = {},
  ): Promise<readonly { readonly source: ExecutionAttemptId; readonly sink: ExecutionAttemptId }[]> {
    const graph = testGraph(options)
    const epoch = ++this.#epoch
    const attempt = (name: string, i: number) => `${epoch}-${name}-${i}` as ExecutionAttemptId
    for (const [i, { taskManager, allocationId }] of places.entries()) {
      const tasks = [0, 1].map(v =>
        this.#deployment(graph, options, v, i, { places, epoch, attempt, extra, allocationId }),
      )
      const { job } = tasks[0]!
      await this.toJob(taskManager).submitTasks({ job, tasks: tasks.map(({ job: _, ...task }) => task) })
    }
    return places.map((_, i) => ({ source: attempt('source', i), sink: attempt('sink', i) }))
  }

  status(attemptId: ExecutionAttemptId): string | undefined {
    return this.last(attemptId)?.status
  }

  last(attemptId: ExecutionAttemptId): TaskExecutionStateUpdate | undefined {
    return this.updates.findLast(update => update.attemptId === attemptId)
  }

  /** Polls until `condition` holds; fails after twenty seconds. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = this.clock.monotonicMs() + 20_000
    while (!condition()) {
      if (this.clock.monotonicMs() > deadline) {
        const states = this.updates.map(u => `${u.attemptId} ${u.status} ${u.error?.message ?? ''}`)
        throw new Error(`waited in vain for: ${what}\n${states.join('\n')}`)
      }
      await new Promise<void>(resolve => this.clock.schedule(2, resolve))
    }
  }

  async close(): Promise<void> {
    for (const { executor, network, rpc, slotThreads } of this.taskManagers) {
      await executor.close()
      await slotThreads.close()
      await network.close()
      await rpc.close()
    }
    await this.rpc.close()
  }

  #service(name: string): InProcessRpcService {
    const dependencies = {
      network: this.network,
      clock: this.clock,
      random: this.#random,
      logger: nullLogger,
    }
    return new InProcessRpcService({ resourceId: name as ResourceId, version: '1' }, dependencies)
  }

  #deployment(
    graph: JobGraph,
    options: TestProgramOptions,
    vertexIndex: number,
    subtaskIndex: number,
    facts: {
      readonly places: readonly {
        readonly taskManager: FakeTaskManager
        readonly allocationId: AllocationId
      }[]
      readonly epoch: number
      readonly attempt: (name: string, i: number) => ExecutionAttemptId
      readonly extra: {
        readonly checkpointDirectory?: string
        readonly restore?: readonly CheckpointAcknowledgement[]
      }
      readonly allocationId: AllocationId
    },
  ): TaskDeployment {
    const { places, epoch, attempt, extra, allocationId } = facts
    const [name, partnerName] = vertexIndex === 0 ? ['source', 'sink'] : ['sink', 'source']
    const partners = places.map((_, i) => i).filter(i => options.forward !== true || i === subtaskIndex)
    const edge: EdgeDeployment = {
      edge: graph.edges[0]!,
      partnerParallelism: places.length,
      channels: partners.map(i => {
        const [producer, consumer] = vertexIndex === 0 ? [subtaskIndex, i] : [i, subtaskIndex]
        const place = places[i]!
        return {
          channelId: `${graph.jobId}/${epoch}/0/${producer}/${consumer}`,
          partner: {
            subtaskIndex: i,
            attemptId: attempt(partnerName, i),
            taskManager: place.taskManager.name,
            allocationId: place.allocationId,
            dataAddress: place.taskManager.dataAddress,
          },
        }
      }),
    }
    const old = extra.restore?.find(({ attemptId }) => attemptId.endsWith(`${name}-${subtaskIndex}`))
    return {
      job: {
        jobId: graph.jobId as JobId,
        graph,
        program: {
          code: {
            type: 'module',
            url: pathToFileURL(new URL('./test-program.ts', import.meta.url).pathname).href,
          },
          record: {
            args: [JSON.stringify(options)],
            randomSeed: 1,
            clockReadings: [],
            environment: {},
            captures: {},
            earlierResults: [],
          },
          executeIndex: 0,
        },
        blobAddress: '',
        checkpointDirectory: extra.checkpointDirectory,
      },
      allocationId,
      attemptId: attempt(name, subtaskIndex),
      attemptNumber: 0,
      vertexId: graph.vertices[vertexIndex]!.id,
      subtaskIndex,
      inputs: vertexIndex === 0 ? [] : [edge],
      outputs: vertexIndex === 0 ? [edge] : [],
      restore: old === undefined ? undefined : { checkpointId: old.checkpointId, state: old.state },
    }
  }
}
