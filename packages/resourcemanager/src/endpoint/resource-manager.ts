import {
  type AllocationId,
  type Clock,
  type Configuration,
  type InstanceId,
  type JobId,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  type Timer,
} from '@flink-ts/common'
import {
  type JobMasterRegistration,
  type JobMasterResourceGateway,
  jobMasterResourceGateway,
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  type ResourceOverview,
  type ResourceRequirements,
  type TaskExecutorGateway,
  type TaskExecutorRegistration,
  type TaskManagerOverview,
  taskExecutorGateway,
} from '@flink-ts/gateways'
import type { RpcEndpoint, RpcService, RpcSession } from '@flink-ts/rpc'
import { ForeignJob, NotRegistered, TaskManagerNotFound } from '../errors.ts'
import { ResourceManagerOptionKeys } from '../resourcemanager-options.ts'
import { SlotManager } from '../slotmanager/slot-manager.ts'
import type { SlotManagerAction, SlotManagerEvent } from '../slotmanager/slot-manager-protocol.ts'

export interface ResourceManagerOptions {
  readonly configuration: Configuration
  /** Of the term of the leader; made up if absent. */
  readonly leaderSessionId?: LeaderSessionId | undefined
}

export interface ResourceManagerDependencies {
  readonly rpc: RpcService
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

interface RegisteredTaskManager {
  readonly instanceId: InstanceId
  readonly registration: TaskExecutorRegistration
  readonly session: RpcSession
  readonly gateway: TaskExecutorGateway
}

interface RegisteredJobMaster {
  readonly session: RpcSession
  readonly gateway: JobMasterResourceGateway
}

/**
 * Endpoint that knows all TaskManagers and gives their slots to jobs; decisions are the {@link SlotManager}'s. Losing
 * a session removes what it registered. Its state belongs to the main thread of the JobManager process.
 */
export class ResourceManager implements RpcEndpoint {
  readonly endpointName = RESOURCE_MANAGER_ENDPOINT
  readonly leaderSessionId: LeaderSessionId
  readonly #options: ResourceManagerOptions
  readonly #deps: ResourceManagerDependencies
  readonly #logger: Logger
  readonly #slotManager: SlotManager
  readonly #taskManagers = new Map<InstanceId, RegisteredTaskManager>()
  readonly #jobMasters = new Map<JobId, RegisteredJobMaster>()
  readonly #timers = new Set<Timer>()

  constructor(options: ResourceManagerOptions, dependencies: ResourceManagerDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.leaderSessionId = options.leaderSessionId ?? newId(dependencies.random)
    this.#logger = dependencies.logger.child({ component: 'resourcemanager' })
    this.#slotManager = new SlotManager(() => newId<AllocationId>(dependencies.random))
  }

  /** Lets TaskExecutors and JobMasters in. */
  start(): void {
    this.#deps.rpc.serve(this)
  }

  /** Ends all sessions. */
  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#deps.rpc.withdraw(this.endpointName)
  }

  acceptSession(session: RpcSession): ResourceManagerGateway {
    // What this session has registered: it may speak for nothing else.
    let instanceId: InstanceId | undefined
    const jobs = new Set<JobId>()
    session.onLost(cause => {
      if (instanceId !== undefined) this.#removeTaskManager(instanceId, cause.message)
      for (const jobId of jobs) this.#removeJobMaster(jobId, session, cause.message)
    })
    return {
      registerTaskExecutor: async registration => {
        if (instanceId !== undefined) this.#removeTaskManager(instanceId, 'registered again')
        instanceId = this.#registerTaskExecutor(session, registration)
        return { instanceId }
      },
      notifySlotAvailable: async (instance, slotId, allocationId) => {
        if (instanceId === undefined)
          throw NotRegistered({ peer: session.peer.name, method: 'notifySlotAvailable' })
        if (instance !== instanceId) return
        this.#logger.debug({ instanceId, slotId, allocationId }, 'Slot reported free')
        this.#apply({ type: 'slot-available', instanceId, slotId, allocationId })
      },
      withdrawFreeSlots: async instance => {
        if (instanceId === undefined) {
          throw NotRegistered({ peer: session.peer.name, method: 'withdrawFreeSlots' })
        }
        if (instance !== instanceId) return
        this.#logger.info({ instanceId }, 'TaskManager takes no more work')
        this.#apply({ type: 'task-manager-draining', instanceId })
      },
      registerJobMaster: async registration => {
        jobs.add(registration.jobId)
        this.#registerJobMaster(session, registration)
      },
      declareRequiredResources: async requirements => {
        if (!jobs.has(requirements.jobId)) {
          throw ForeignJob({ peer: session.peer.name, jobId: requirements.jobId })
        }
        this.#declare(session, requirements)
      },
      requestResourceOverview: async () => this.overview(),
      inspectTaskManager: async (resourceId, inspection) => {
        const taskManager = [...this.#taskManagers.values()].find(
          candidate => candidate.registration.resourceId === resourceId,
        )
        if (taskManager === undefined) throw TaskManagerNotFound({ resourceId })
        return await taskManager.gateway.inspect(inspection)
      },
    }
  }

  /** All registered TaskManagers in order of registration. */
  overview(): ResourceOverview {
    const taskManagers = [...this.#taskManagers.values()].map(taskManager => this.#describe(taskManager))
    return {
      taskManagers,
      totalSlots: taskManagers.reduce((sum, t) => sum + t.totalSlots, 0),
      freeSlots: taskManagers.reduce((sum, t) => sum + t.freeSlots, 0),
    }
  }

  #describe({ instanceId, registration, session }: RegisteredTaskManager): TaskManagerOverview {
    const slots = [...(this.#slotManager.slotsOf(instanceId)?.values() ?? [])]
    return {
      instanceId,
      resourceId: registration.resourceId,
      dataAddress: registration.dataAddress,
      host: registration.host,
      totalSlots: slots.length,
      freeSlots: slots.filter(slot => !('allocationId' in slot)).length,
      lastHeartbeat: session.lastHeardAt ?? this.#deps.clock.now(),
      hardware: registration.hardware,
      memory: registration.memory,
      allocatedSlots: slots.flatMap(slot => ('jobId' in slot ? slot.jobId : [])),
    }
  }

  #registerTaskExecutor(session: RpcSession, registration: TaskExecutorRegistration): InstanceId {
    for (const other of [...this.#taskManagers.values()]) {
      if (other.registration.resourceId !== registration.resourceId) continue
      this.#removeTaskManager(other.instanceId, 'the same TaskManager registered again')
      if (other.session !== session) other.session.close('replaced by a newer registration')
    }
    const instanceId = newId<InstanceId>(this.#deps.random)
    const gateway = session.gateway(taskExecutorGateway)
    this.#taskManagers.set(instanceId, { instanceId, registration, session, gateway })
    const { resourceId, slots, dataAddress } = registration
    this.#logger.info({ resourceId, instanceId, dataAddress, slots: slots.length }, 'TaskManager registered')
    this.#apply({ type: 'task-manager-registered', instanceId, slots })
    return instanceId
  }

  #removeTaskManager(instanceId: InstanceId, reason: string): void {
    const taskManager = this.#taskManagers.get(instanceId)
    if (taskManager === undefined) return
    this.#taskManagers.delete(instanceId)
    this.#logger.warn(
      { resourceId: taskManager.registration.resourceId, instanceId, reason },
      'TaskManager gone',
    )
    this.#apply({ type: 'task-manager-lost', instanceId })
  }

  #registerJobMaster(session: RpcSession, registration: JobMasterRegistration): void {
    const { jobId, jobMasterAddress, jobMasterEndpoint } = registration
    this.#jobMasters.set(jobId, { session, gateway: session.gateway(jobMasterResourceGateway) })
    this.#logger.info({ jobId, jobMasterAddress }, 'JobMaster registered')
    this.#apply({ type: 'job-registered', jobId, jobMasterAddress, jobMasterEndpoint })
  }

  #removeJobMaster(jobId: JobId, session: RpcSession, reason: string): void {
    // A newer session of the same job has taken over.
    if (this.#jobMasters.get(jobId)?.session !== session) return
    this.#jobMasters.delete(jobId)
    this.#logger.info({ jobId, reason }, 'JobMaster gone')
    this.#apply({ type: 'job-lost', jobId })
  }

  #declare(session: RpcSession, { jobId, slots }: ResourceRequirements): void {
    if (this.#jobMasters.get(jobId)?.session !== session) return
    this.#logger.debug({ jobId, slots }, 'Requirement declared')
    this.#apply({ type: 'requirement-declared', jobId, slots })
  }

  #apply(event: SlotManagerEvent): void {
    for (const action of this.#slotManager.handle(event)) this.#perform(action)
  }

  #perform(action: SlotManagerAction): void {
    switch (action.type) {
      case 'request-slot':
        this.#requestSlot(action)
        break
      case 'retry-slot-later': {
        const { instanceId, slotId } = action
        const delayMs = this.#options.configuration.get(ResourceManagerOptionKeys.slotRequestRetryDelay)
        const timer = this.#deps.clock.schedule(delayMs, () => {
          this.#timers.delete(timer)
          this.#apply({ type: 'slot-retry-due', instanceId, slotId })
        })
        this.#timers.add(timer)
        break
      }
      case 'notify-not-enough': {
        const { type: _, ...info } = action
        this.#logger.warn(info, 'Not enough slots')
        this.#jobMasters
          .get(action.jobId)
          ?.gateway.notifyNotEnoughResources(info)
          .catch((error: unknown) =>
            this.#logger.debug({ jobId: info.jobId, error }, 'JobMaster not notified'),
          )
        break
      }
    }
  }

  #requestSlot({ instanceId, request }: Extract<SlotManagerAction, { type: 'request-slot' }>): void {
    const taskManager = this.#taskManagers.get(instanceId)
    // Gone meanwhile: the slot manager learns it from `task-manager-lost`.
    if (taskManager === undefined) return
    const { slotId, allocationId, jobId } = request
    taskManager.gateway.requestSlot(request).then(
      () => this.#apply({ type: 'slot-request-accepted', instanceId, slotId, allocationId }),
      (error: unknown) => {
        this.#logger.warn({ jobId, slotId, allocationId, error }, 'Slot request failed')
        this.#apply({ type: 'slot-request-refused', instanceId, slotId, allocationId })
      },
    )
  }
}
