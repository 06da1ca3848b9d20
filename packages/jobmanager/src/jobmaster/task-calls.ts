import {
  type ExecutionAttemptId,
  type Logger,
  type ResourceId,
  type SerializedError,
  serializeError,
} from '@flink-ts/common'
import type { JobInformation, TaskExecutorGateway } from '@flink-ts/gateways'
import type { CheckpointMetadata } from '@flink-ts/state'
import { assignTaskState } from '../checkpoint/state-assignment.ts'
import type { Execution, ExecutionGraph } from '../execution-graph/execution-graph.ts'
import { planDeployment, type SlotDeployment } from '../scheduler/deployment-plan.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { TaskManagerRegistry } from './task-manager-registry.ts'

/** What {@link TaskCalls} needs of its JobMaster. */
export interface TaskCallsPort {
  readonly logger: Logger
  readonly taskManagers: TaskManagerRegistry
  readonly executionGraph: ExecutionGraph
  schedule(event: SchedulerEvent): void
}

/** Calls to TaskManagers about the tasks of one job; what goes wrong becomes an event. Owner: JobMaster main thread. */
export class TaskCalls {
  readonly #job: JobInformation
  readonly #port: TaskCallsPort

  constructor(job: JobInformation, port: TaskCallsPort) {
    this.#job = job
    this.#port = port
  }

  /**
   * What to submit for these executions, by slot. @param restored what they get their state from
   * @returns undefined if that cannot be said: the failure was reported
   */
  plan(
    epoch: number,
    executions: readonly Execution[],
    restored: CheckpointMetadata | undefined,
  ): readonly SlotDeployment[] | undefined {
    try {
      const deployment = `${this.#port.executionGraph.graphId}/${epoch}`
      return planDeployment(this.#job.graph, deployment, executions, ({ vertex, subtaskIndex }) =>
        restored === undefined
          ? undefined
          : { checkpointId: restored.checkpointId, state: assignTaskState(restored, vertex, subtaskIndex) },
      )
    } catch (error) {
      // State that cannot be assigned: no TaskManager has heard of these tasks.
      const attemptIds = executions.map(execution => execution.attemptId)
      const { taskManager } = executions[0]!.location!
      const cause = serializeError(error)
      this.#port.schedule({ type: 'deployment-refused', taskManager, attemptIds, cause })
      return undefined
    }
  }

  /** Hands the tasks of one slot to its TaskManager. */
  submit({ taskManager: { taskManager }, tasks }: SlotDeployment): void {
    const { taskManagers, logger, schedule } = this.#port
    const gateway = taskManagers.gateway(taskManager)
    // Gone: its loss is an event of its own.
    if (gateway === undefined) return
    const attemptIds = tasks.map(task => task.attemptId)
    gateway.submitTasks({ job: this.#job, tasks }).catch((error: unknown) => {
      logger.warn({ taskManager, attemptIds, error }, 'Tasks not accepted')
      schedule({ type: 'deployment-refused', taskManager, attemptIds, cause: serializeError(error) })
    })
  }

  /** A TaskManager that does not take it is given up. */
  cancel(taskManager: ResourceId, attemptId: ExecutionAttemptId): void {
    const { taskManagers, executionGraph, logger } = this.#port
    taskManagers
      .gateway(taskManager)
      ?.cancelTask(attemptId)
      .catch((error: unknown) => {
        const execution = executionGraph.byAttempt(attemptId)
        if (execution === undefined || execution.state !== 'CANCELING') return
        logger.warn({ taskManager, attemptId, error }, 'Task not cancelled: giving up its TaskManager')
        taskManagers.disconnect(taskManager, 'it did not cancel a task')
      })
  }

  /** Tells tasks something, one call for each TaskManager. A lost TaskManager is an event of its own. */
  tell(
    attemptIds: readonly ExecutionAttemptId[],
    call: (gateway: TaskExecutorGateway, attemptIds: readonly ExecutionAttemptId[]) => Promise<void>,
    failed: (error: SerializedError) => void,
  ): void {
    const { taskManagers, executionGraph } = this.#port
    const locationOf = (id: ExecutionAttemptId) => executionGraph.byAttempt(id)?.location?.taskManager
    for (const [taskManager, ids] of Map.groupBy(attemptIds, locationOf)) {
      const gateway = taskManager === undefined ? undefined : taskManagers.gateway(taskManager)
      if (gateway === undefined) continue
      call(gateway, ids).catch((error: unknown) => {
        // After a loss there is nobody left to tell, and the failover has begun.
        if (taskManagers.gateway(taskManager!) === gateway) failed(serializeError(error))
      })
    }
  }
}
