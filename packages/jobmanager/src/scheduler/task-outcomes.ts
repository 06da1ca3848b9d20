import { type ResourceId, type SerializedError, serializeError } from '@flink-ts/common'
import type { TaskExecutionStateUpdate } from '@flink-ts/gateways'
import { DeploymentRefused, TaskFailedWithoutCause } from '../errors.ts'
import { type Execution, taskName } from '../execution-graph/execution-graph.ts'
import { isDeployed, isTerminalExecution } from '../execution-graph/execution-state.ts'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import type { JobState } from './job-state.ts'
import type { SchedulerEvent } from './scheduler-protocol.ts'

/** A failure: its first task, and all that failed by it. */
type FailureListener = (error: SerializedError, where: Execution, keys: readonly SubtaskKey[]) => void

/** Turns what is heard of tasks into changes of their states, and into failures. Owner: the scheduler. */
export class TaskOutcomes {
  readonly #state: JobState
  readonly #fail: FailureListener

  constructor(state: JobState, fail: FailureListener) {
    this.#state = state
    this.#fail = fail
  }

  /** The place of these executions is gone, and they with it: one failure, whatever their number. */
  placeLost(gone: (execution: Execution) => boolean, cause: SerializedError): void {
    const { executionGraph } = this.#state
    const failed: Execution[] = []
    for (const execution of executionGraph.executions()) {
      if (!gone(execution) || !isDeployed(execution.state)) continue
      if (execution.state !== 'CANCELING') failed.push(execution)
      this.#state.transition(execution, 'FAILED')
    }
    this.#failTogether(cause, failed)
  }

  /** What a TaskManager says of one of its tasks. True: that task has ended. */
  updated(taskManager: ResourceId, update: TaskExecutionStateUpdate): boolean {
    const { executionGraph } = this.#state
    const execution = executionGraph.byAttempt(update.attemptId)
    if (execution === undefined || execution.location?.taskManager !== taskManager) return false
    if (isTerminalExecution(execution.state)) return false
    executionGraph.setMetrics(execution.key, update.metrics)
    const stopping = execution.state === 'CANCELING'
    switch (update.status) {
      case 'DEPLOYING':
        return false
      case 'INITIALIZING':
        this.#state.transition(execution, 'INITIALIZING')
        return false
      case 'RUNNING':
        if (this.#state.transition(execution, 'RUNNING')) {
          this.#state.act({ type: 'task-running', attemptId: execution.attemptId })
        }
        return false
      case 'FINISHED':
        if (stopping) {
          this.#state.transition(execution, 'CANCELED')
        } else {
          executionGraph.setAccumulators(execution.key, update.accumulators)
          this.#state.transition(execution, 'FINISHED')
          this.#state.act({ type: 'task-finished', attemptId: execution.attemptId })
        }
        break
      case 'CANCELED':
      case 'FAILED':
        this.#state.transition(execution, update.status)
        if (!stopping) {
          const error = update.error ?? serializeError(TaskFailedWithoutCause({ task: taskName(execution) }))
          this.#fail(error, execution, [execution.key])
        }
        break
    }
    return true
  }

  /** A TaskManager did not take these tasks. */
  refused(event: Extract<SchedulerEvent, { type: 'deployment-refused' }>): void {
    const { executionGraph } = this.#state
    const refused = event.attemptIds
      .map(attemptId => executionGraph.byAttempt(attemptId))
      .filter(execution => execution !== undefined)
      .filter(execution => isDeployed(execution.state))
    const failed = refused.filter(execution => execution.state !== 'CANCELING')
    for (const execution of refused) {
      this.#state.transition(execution, 'FAILED')
      // It may have been accepted in spite of the answer.
      const { attemptId } = execution
      this.#state.act({ type: 'cancel-task', taskManager: event.taskManager, attemptId })
    }
    const { taskManager, cause: refusal } = event
    const error = DeploymentRefused({ taskManager, reason: refusal.message })
    // What forbids another try forbids it here too.
    const final = refusal.code !== undefined && refusal.domain === 'user' && refusal.retry === 'no'
    this.#failTogether(final ? refusal : { ...serializeError(error), cause: refusal }, failed)
  }

  #failTogether(cause: SerializedError, failed: readonly Execution[]): void {
    const [first] = failed
    if (first === undefined) return
    this.#fail(
      cause,
      first,
      failed.map(execution => execution.key),
    )
  }
}
