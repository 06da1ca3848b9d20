import type { AllocationId, Logger } from '@flink-ts/common'
import type { JobOver } from '@flink-ts/gateways'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import type { SchedulerAction, SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { JobTimers } from './job-timers.ts'
import type { ResourceManagerConnection } from './resource-manager-connection.ts'
import type { TaskCalls } from './task-calls.ts'
import type { TaskManagerRegistry } from './task-manager-registry.ts'

/** What {@link SchedulerActions} needs of its JobMaster. */
export interface SchedulerActionsPort {
  readonly logger: Logger
  readonly tasks: TaskCalls
  readonly taskManagers: TaskManagerRegistry
  readonly resourceManager: ResourceManagerConnection
  readonly timers: JobTimers
  schedule(event: SchedulerEvent): void
  coordinate(event: CoordinatorEvent): void
  deploy(epoch: number, executions: readonly Execution[]): void
  /** What TaskManagers are told with the last slots; undefined: the job goes on. */
  jobOver(): JobOver | undefined
  /** Whether the end of the job counts; undefined: that is not recorded, and it does. */
  endRecorded(): Promise<boolean> | undefined
  terminated(): void
}

/** Does what the JobScheduler says. Owner: JobMaster main thread. */
export class SchedulerActions {
  readonly #port: SchedulerActionsPort
  readonly #farewells: Promise<void>[] = []
  #acceptedSlots: readonly AllocationId[] = []

  constructor(port: SchedulerActionsPort) {
    this.#port = port
  }

  /** The answer to the latest offer of slots. */
  get acceptedSlots(): readonly AllocationId[] {
    return this.#acceptedSlots
  }

  /** Settles when TaskManagers and ResourceManager know what the job gave up so far. Never rejects. */
  async farewells(): Promise<void> {
    await Promise.all(this.#farewells)
  }

  perform(action: SchedulerAction): void {
    const { logger, tasks, timers, resourceManager } = this.#port
    switch (action.type) {
      case 'accept-slots':
        this.#acceptedSlots = action.allocationIds
        break
      case 'declare-slots':
        resourceManager.open()
        this.#farewells.push(resourceManager.declare(action.slots))
        break
      case 'deploy':
        this.#port.deploy(action.epoch, action.executions)
        break
      case 'cancel-task':
        tasks.cancel(action.taskManager, action.attemptId)
        break
      case 'free-slot': {
        const { taskManager, allocationId, reason } = action
        const gateway = this.#port.taskManagers.gateway(taskManager)
        const over = this.#port.jobOver()
        const recorded = over && this.#port.endRecorded()
        const free = async (): Promise<void> => {
          // The last one takes what the next leader would need, if the end did not count.
          if (recorded === undefined || (await recorded)) await gateway?.freeSlot(allocationId, reason, over)
        }
        if (gateway === undefined) break
        this.#farewells.push(
          free().catch((error: unknown) => logger.debug({ allocationId, error }, 'Slot not freed')),
        )
        break
      }
      case 'set-timer':
        timers.set(action.timer, action.delayMs, () =>
          this.#port.schedule({ type: 'timer', timer: action.timer }),
        )
        break
      case 'cancel-timer':
        timers.cancel(action.timer)
        break
      case 'task-running':
      case 'task-finished':
      case 'tasks-stopped':
        this.#port.coordinate(action)
        break
      case 'job-terminated':
        this.#port.terminated()
        break
    }
  }
}
