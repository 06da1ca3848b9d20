import {
  type AllocationId,
  type JobId,
  type Logger,
  type SerializedError,
  serializeError,
} from '@flink-ts/common'
import {
  inspectProcess,
  type JobOver,
  type SlotRequest,
  type TaskExecutionStateUpdate,
  type TaskExecutorRegistration,
  type TaskSubmission,
} from '@flink-ts/gateways'
import { RingReclaimer } from '@flink-ts/network'
import { ChannelLost, InvalidDeployment, SlotFreed, SlotNotAllocated } from '../errors.ts'
import { AllocatedSlot } from '../slots/allocated-slot.ts'
import type { SlotListener } from '../slots/slot-listener.ts'
import type { LargeResults } from '../slots/slot-tasks.ts'
import { TaskSlotTable } from '../slots/task-slot-table.ts'
import { ChannelRegistry } from './channel-registry.ts'
import { inspectTasks, isTaskInspection } from './inspect-tasks.ts'
import { jobCommands } from './job-commands.ts'
import { JobConnection, type JobConnectionListener, type JobHandlers } from './job-connection.ts'
import { LocalState } from './local-state.ts'
import { NetworkMemory } from './network-memory.ts'
import { passOnReport } from './pass-on-report.ts'
import { ResourceManagerConnection } from './resource-manager-connection.ts'
import { storeResults } from './store-results.ts'
import type { TaskExecutorDependencies, TaskExecutorOptions } from './task-executor-ports.ts'
import { taskManagerMonitor } from './task-manager-monitor.ts'
import { tellTaskState } from './tell-task-state.ts'

/**
 * The TaskManager's main thread: offers slots, runs tasks in slot threads, passes on what they and the JobMasters say
 * to each other. The loss of the ResourceManager changes nothing for jobs; the loss of a JobMaster frees its slots.
 * Only messages pass here, never data.
 */
export class TaskExecutor {
  readonly #options: TaskExecutorOptions
  readonly #ports: TaskExecutorDependencies
  readonly #logger: Logger
  readonly #table: TaskSlotTable
  readonly #slots = new Map<AllocationId, AllocatedSlot>()
  readonly #jobs = new Map<JobId, JobConnection>()
  readonly #channels: ChannelRegistry
  readonly #localState: LocalState
  readonly #resourceManager: ResourceManagerConnection
  readonly #releasing = new Set<Promise<void>>()
  #closed = false
  /** Resolves when no slot is taken any more; present while draining. */
  #drained: PromiseWithResolvers<void> | undefined

  constructor(options: TaskExecutorOptions, dependencies: TaskExecutorDependencies) {
    this.#options = options
    this.#ports = dependencies
    this.#logger = dependencies.logger.child({ component: 'task-executor', resourceId: options.resourceId })
    this.#table = new TaskSlotTable(options)
    const { resourceId, settings } = options
    const memory = new NetworkMemory(settings.networkMemory)
    const monitor = taskManagerMonitor(dependencies.monitor, {
      memory,
      slots: () => ({ total: options.slots, used: [...this.#slots.values()] }),
    })
    this.#channels = new ChannelRegistry(
      { resourceId, slots: options.slots },
      {
        memory,
        network: dependencies.network,
        reclaimer: new RingReclaimer({ clock: dependencies.clock }),
        bellOf: allocationId => this.#slots.get(allocationId)?.bell,
      },
    )
    this.#localState = new LocalState(
      { folders: options.localStateFolders ?? [] },
      { clock: dependencies.clock, logger: this.#logger },
    )
    this.#resourceManager = new ResourceManagerConnection(
      { address: options.resourceManagerAddress, backoff: settings.registration },
      {
        ...dependencies,
        logger: this.#logger,
        handlers: {
          requestSlot: request => this.#requestSlot(request),
          inspect: async inspection =>
            isTaskInspection(inspection)
              ? await inspectTasks(this.#slots.values(), inspection)
              : await inspectProcess(monitor, inspection),
        },
        registration: () => this.#registration(),
        onRegistered: instanceId => dependencies.onRegistered?.(instanceId),
      },
    )
  }

  /** Begins to register at the ResourceManager, and never gives up. */
  start(): void {
    this.#ports.network.onChannelFailed((channelId, error) => this.#channelFailed(channelId, error))
    this.#resourceManager.start()
  }

  /**
   * Takes no more work. Resolves when the last slot is given back, at the latest after
   * `taskmanager.drain-timeout`; the caller closes then. Idempotent.
   */
  async drain(): Promise<void> {
    if (this.#drained === undefined) {
      const { drainTimeoutMs } = this.#options.settings
      this.#drained = Promise.withResolvers()
      this.#logger.info({ slots: this.#slots.size, drainTimeoutMs }, 'TaskManager drains')
      this.#resourceManager.withdrawFreeSlots()
      // They take a checkpoint, and move what runs here.
      for (const job of this.#jobs.values()) job.tell('draining', gateway => gateway.notifyDraining())
      const limit = this.#ports.clock.schedule(drainTimeoutMs, () => this.#drained?.resolve())
      void this.#drained.promise.then(() => limit.cancel())
      this.#lookDrained()
    }
    return this.#drained.promise
  }

  #lookDrained(): void {
    if (this.#slots.size === 0) this.#drained?.resolve()
  }

  /** Frees all slots and ends all connections. Resolves when all slot threads are gone. */
  async close(): Promise<void> {
    this.#closed = true
    for (const allocationId of [...this.#slots.keys()])
      this.#release(allocationId, 'the TaskManager is shutting down')
    await Promise.all(this.#releasing)
    for (const job of this.#jobs.values()) job.close('the TaskManager is shutting down')
    this.#resourceManager.close()
    await this.#localState.close()
  }

  #registration(): TaskExecutorRegistration {
    const { resourceId, dataAddress, host, hardware, settings, slots } = this.#options
    const memory = {
      taskBytes: settings.slotMemoryBytes * slots,
      networkBytes: settings.networkMemory.limitBytes,
    }
    return { resourceId, dataAddress, host, hardware, memory, slots: this.#table.report() }
  }

  // Slots

  async #requestSlot(request: SlotRequest): Promise<void> {
    const { slotId, allocationId, jobId } = request
    if (this.#closed || this.#drained !== undefined)
      throw SlotNotAllocated({ allocation: allocationId, job: jobId })
    if (!this.#table.allocate(slotId, allocationId, jobId)) return
    this.#logger.info({ slotId, allocationId, jobId }, 'slot allocated')
    const { settings, threadLogger } = this.#options
    const { cancellationTimeoutMs, state, overdraftLimits, slotMemoryBytes } = settings
    const slot = new AllocatedSlot(
      {
        ...{ slotId, allocationId, jobId, cancellationTimeoutMs, state, overdraftLimits },
        localStateFolders: this.#localState.of(jobId).taken(slotId),
        memoryLimitBytes: slotMemoryBytes,
        threadLogger,
      },
      {
        threads: this.#ports.slotThreads,
        clock: this.#ports.clock,
        logger: this.#logger,
        listener: this.#slotListener,
      },
    )
    this.#slots.set(allocationId, slot)
    this.#jobConnection(request).offer({ allocationId, slotId })
  }

  /** Takes a slot back: ends its thread, then tells the ResourceManager. Idempotent. */
  #release(allocationId: AllocationId, reason: string, jobOver?: JobOver): void {
    const slot = this.#slots.get(allocationId)
    const slotId = this.#table.release(allocationId)
    if (slot === undefined || slotId === undefined) return
    this.#logger.info({ slotId, allocationId, reason }, 'slot freed')
    this.#jobs.get(slot.jobId)?.withdraw(allocationId)
    if (jobOver !== undefined) this.#localState.of(slot.jobId).over()
    const error = serializeError(SlotFreed({ allocation: allocationId, reason }))
    const released = slot.release(error, jobOver).then(() => {
      this.#releasing.delete(released)
      this.#slots.delete(allocationId)
      this.#channels.closeAllocation(allocationId)
      this.#table.free(allocationId)
      this.#resourceManager.notifySlotAvailable(slotId, allocationId)
      this.#closeIdleJob(slot.jobId)
      this.#lookDrained()
    })
    // `release` never rejects.
    this.#releasing.add(released)
  }

  readonly #slotListener: SlotListener = {
    report: (slot, report) => {
      if (report.type === 'local-copies') this.#localState.of(slot.jobId).made(report)
      passOnReport(report, this.#jobs.get(slot.jobId), slot)
    },
    taskEnded: (slot, update, large) => this.#taskEnded(slot, update, large),
    threadDied: (slot, cause) => {
      const { allocationId } = slot
      this.#jobs.get(slot.jobId)?.tell('slot failed', gateway => gateway.failSlot(allocationId, cause))
      this.#release(allocationId, 'its thread ended by itself')
    },
  }

  // Jobs

  #jobConnection(request: SlotRequest): JobConnection {
    const existing = this.#jobs.get(request.jobId)
    if (existing !== undefined) return existing
    const { jobId, jobMasterAddress: address, jobMasterEndpoint: endpoint } = request
    const { resourceId, dataAddress, settings } = this.#options
    const { slotTimeoutMs, registration: backoff } = settings
    const connection = new JobConnection(
      { jobId, address, endpoint, slotTimeoutMs, backoff, registration: { resourceId, dataAddress } },
      {
        ...this.#ports,
        logger: this.#logger,
        handlers: this.#jobHandlers(jobId),
        listener: this.#jobListener,
      },
    )
    this.#jobs.set(jobId, connection)
    connection.start()
    return connection
  }

  readonly #jobListener: JobConnectionListener = {
    accepted: (connection, allocations) => {
      for (const allocationId of allocations) {
        // It was lost while the offer was on its way.
        if (this.#table.slotOf(allocationId) !== undefined) continue
        const cause = serializeError(
          SlotFreed({ allocation: allocationId, reason: 'it was lost before it was accepted' }),
        )
        connection.tell('slot failed', gateway => gateway.failSlot(allocationId, cause))
      }
    },
    rejected: (allocations, reason) => {
      for (const allocationId of allocations) this.#release(allocationId, reason)
    },
    lost: (connection, reason) => {
      // A slot given to the job from now on starts with a new connection.
      if (this.#jobs.get(connection.jobId) === connection) this.#jobs.delete(connection.jobId)
      connection.close(reason)
      for (const slot of this.#slots.values()) {
        if (slot.jobId === connection.jobId)
          this.#release(slot.allocationId, `its JobMaster is lost: ${reason}`)
      }
    },
  }

  #closeIdleJob(jobId: JobId): void {
    for (const slot of this.#slots.values()) if (slot.jobId === jobId) return
    this.#localState.of(jobId).left()
    this.#jobs.get(jobId)?.close('no slot is left')
    this.#jobs.delete(jobId)
    // Never rejects.
    void this.#ports.bundles.release(jobId)
    void this.#ports.cachedFiles.release(jobId)
  }

  /** What the JobMaster of a job may call: only for its own slots. */
  #jobHandlers(jobId: JobId): JobHandlers {
    const own = (allocationId: AllocationId): AllocatedSlot | undefined => {
      const slot = this.#slots.get(allocationId)
      return slot?.jobId === jobId && this.#table.slotOf(allocationId) !== undefined ? slot : undefined
    }
    return {
      freeSlot: async (allocationId, reason, jobOver) => {
        if (own(allocationId) === undefined) return
        this.#release(allocationId, reason, jobOver)
        // The end of the job waits for the removal of its files, not for that of threads.
        if (jobOver !== undefined && this.#slots.get(allocationId)?.hasUnfinishedFiles === true)
          await Promise.all(this.#releasing)
      },
      submitTasks: async submission => this.#submit(submission, jobId, own),
      ...jobCommands(() => [...this.#slots.values()].filter(slot => slot.jobId === jobId), {
        complete: checkpointId => this.#localState.of(jobId).complete(checkpointId),
        aborted: checkpointId => this.#localState.of(jobId).aborted(checkpointId),
      }),
    } satisfies JobHandlers
  }

  // Tasks

  #submit(
    { job, tasks: descriptions }: TaskSubmission,
    jobId: JobId,
    own: (allocationId: AllocationId) => AllocatedSlot | undefined,
  ): void {
    const [first] = descriptions
    if (first === undefined) return
    const { allocationId } = first
    if (job.jobId !== jobId) {
      const problem = `it is of job ${job.jobId}, but the JobMaster of job ${jobId} submitted it`
      throw InvalidDeployment({ task: first.attemptId, problem })
    }
    const stranger = descriptions.find(task => task.allocationId !== allocationId)
    if (stranger !== undefined) {
      const problem = `it was submitted together with tasks of allocation ${allocationId}`
      throw InvalidDeployment({ task: stranger.attemptId, problem })
    }
    const slot = own(allocationId)
    if (slot === undefined) throw SlotNotAllocated({ allocation: allocationId, job: jobId })
    const { bundles, cachedFiles } = this.#ports
    const jobHere = { ...job, cachedFilePaths: cachedFiles.paths(job) }
    const tasks = descriptions.map(description => ({ ...description, job: jobHere }))
    slot.deploy(
      tasks,
      () => this.#channels.open(tasks),
      async () => {
        const [moduleUrl] = await Promise.all([bundles.moduleUrl(job), cachedFiles.fetch(job)])
        return moduleUrl
      },
    )
    this.#logger.info({ jobId, allocationId, tasks: tasks.length }, 'tasks accepted')
  }

  #taskEnded(slot: AllocatedSlot, update: TaskExecutionStateUpdate, large: LargeResults | undefined): void {
    const { attemptId, status, error: cause } = update
    this.#logger.info({ attemptId, status, cause }, 'task ended')
    this.#channels.close(attemptId, status === 'FINISHED')
    const tell = (last: TaskExecutionStateUpdate): void =>
      this.#jobs.get(slot.jobId)?.tell('task state', gateway => tellTaskState(gateway, last))
    if (large === undefined || slot.blobAddress === undefined) tell(update)
    // Never rejects.
    else
      void storeResults(update, large, slot.blobAddress, { ...this.#ports, logger: this.#logger }).then(tell)
  }

  #channelFailed(channelId: string, error: SerializedError): void {
    const user = this.#channels.userOf(channelId)
    if (user === undefined) return
    const lost = { ...serializeError(ChannelLost({ channel: channelId })), cause: error }
    this.#slots.get(user.allocationId)?.fail(user.attemptId, lost)
  }
}
