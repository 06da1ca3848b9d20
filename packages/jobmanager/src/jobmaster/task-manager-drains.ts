import type { Clock, Logger, ResourceId } from '@flink-ts/common'
import { isDeployed } from '../execution-graph/execution-state.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { TaskManagerRegistry } from './task-manager-registry.ts'

/** After which a TaskManager that drains is tried again. */
const DRAIN_RETRY_MS = 500

interface TaskManagerDrainsDependencies {
  readonly clock: Clock
  readonly logger: Logger
  readonly executionGraph: JobScheduler['executionGraph']
  readonly taskManagers: TaskManagerRegistry
  readonly schedule: (event: SchedulerEvent) => void
  /** Takes a checkpoint now, and answers its id. */
  readonly checkpoint: () => Promise<string>
  /** Nothing of the job runs any more. */
  readonly isOver: () => boolean
}

/** TaskManagers that will end, and whose tasks move before that. Owner: JobMaster main thread. */
export class TaskManagerDrains {
  readonly #takesCheckpoints: boolean
  readonly #ports: TaskManagerDrainsDependencies

  /** @param options `takesCheckpoints`: without, tasks stay until the TaskManager is gone */
  constructor(options: { readonly takesCheckpoints: boolean }, dependencies: TaskManagerDrainsDependencies) {
    this.#takesCheckpoints = options.takesCheckpoints
    this.#ports = dependencies
  }

  /**
   * Has the tasks of a TaskManager that will end started elsewhere, from a checkpoint taken now; again and again while
   * none can be taken, as during a restart, until the TaskManager is gone. Never rejects.
   */
  async leave(taskManager: ResourceId): Promise<void> {
    const { clock, logger, schedule, checkpoint } = this.#ports
    schedule({ type: 'task-manager-leaving', taskManager })
    if (!this.#takesCheckpoints) return
    for (let attempt = 1; this.#runsOn(taskManager); attempt++) {
      try {
        const checkpointId = await checkpoint()
        logger.info({ taskManager, checkpointId }, 'TaskManager drains: its tasks move')
        schedule({ type: 'task-manager-draining', taskManager })
        return
      } catch (error) {
        if (attempt === 1) {
          const text = 'TaskManager drains, and no checkpoint was taken yet: its tasks stay until one is'
          logger.warn({ taskManager, error }, text)
        }
      }
      if (!this.#runsOn(taskManager)) return
      await new Promise<void>(resolve => clock.schedule(DRAIN_RETRY_MS, resolve))
    }
  }

  /** Whether the job goes on and has tasks on that TaskManager, which is still there. */
  #runsOn(taskManager: ResourceId): boolean {
    const { isOver, taskManagers, executionGraph } = this.#ports
    if (isOver() || taskManagers.gateway(taskManager) === undefined) return false
    return [...executionGraph.executions()].some(
      ({ state, location }) => isDeployed(state) && location?.taskManager === taskManager,
    )
  }
}
