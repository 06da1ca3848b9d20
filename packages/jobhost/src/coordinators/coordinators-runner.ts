import {
  type ExecutionAttemptId,
  isFlinkError,
  type Logger,
  type OperatorId,
  serializeError,
} from '@flink-ts/common'
import type {
  CoordinatorCommand,
  CoordinatorReport,
  CoordinatorState,
  CoordinatorsDeployment,
} from '@flink-ts/gateways'
import type { JobOperator, JobVertex } from '@flink-ts/jobgraph'
import type { OperatorCoordinator, ReplayedProgram } from '@flink-ts/operators'
import { CoordinatorFailed } from '../errors.ts'

export interface CoordinatorsRunnerDependencies {
  readonly program: ReplayedProgram
  readonly report: (report: CoordinatorReport) => void
  readonly logger: Logger
}

interface Running {
  readonly operatorId: OperatorId
  readonly name: string
  readonly coordinator: OperatorCoordinator
  /** Of the reachable subtasks, by index. */
  readonly attempts: Map<number, ExecutionAttemptId>
}

/**
 * All coordinators of one run of a job. Commands are handled in order, from `start` on; the first failure of any
 * coordinator is the end of the run: it is reported once, and nothing else is. Owner: a coordinator thread.
 */
export class CoordinatorsRunner {
  readonly #deployment: CoordinatorsDeployment
  readonly #ports: CoordinatorsRunnerDependencies
  readonly #coordinators = new Map<OperatorId, Running>()
  /** Commands that came before all coordinators had started. */
  #waiting: CoordinatorCommand[] | undefined = []
  #over = false

  constructor(deployment: CoordinatorsDeployment, dependencies: CoordinatorsRunnerDependencies) {
    this.#deployment = deployment
    this.#ports = dependencies
  }

  /** Makes, restores and starts the coordinators. Never rejects: failures are reported. */
  async start(): Promise<void> {
    for (const vertex of this.#deployment.job.graph.vertices) {
      for (const operator of vertex.operators) {
        if (operator.coordinated !== true || this.#over) continue
        await this.#startOne(vertex, operator)
      }
    }
    if (this.#over) return
    this.#ports.report({ type: 'started' })
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const command of waiting) this.#perform(command)
  }

  handle(command: CoordinatorCommand): void {
    if (this.#waiting !== undefined) this.#waiting.push(command)
    else this.#perform(command)
  }

  /** Ends all coordinators. Never rejects. */
  async close(): Promise<void> {
    this.#over = true
    for (const { name, coordinator } of this.#coordinators.values()) {
      try {
        await coordinator.close?.()
      } catch (error) {
        this.#ports.logger.warn({ operator: name, error }, 'Coordinator failed to close')
      }
    }
  }

  async #startOne(vertex: JobVertex, operator: JobOperator): Promise<void> {
    const { operatorId, name, nodeId } = operator
    const { job, restoredCheckpointId, states } = this.#deployment
    const { program, logger } = this.#ports
    try {
      const provider = program.operatorFactory(nodeId).coordinator
      if (provider === undefined) throw new Error(`Operator ${nodeId} has no coordinator in this replay`)
      const attempts = new Map<number, ExecutionAttemptId>()
      const coordinator = provider.create(
        {
          operatorId,
          operatorName: name,
          jobId: job.jobId,
          jobName: job.graph.name,
          parallelism: vertex.parallelism,
          restoredCheckpointId,
          sendEvent: (subtaskIndex, event) => this.#send(operatorId, attempts, subtaskIndex, event),
          fail: error => this.#fail(name, 'asynchronous work', error),
          logger: logger.child({ operator: name }),
        },
        states.find(state => state.operatorId === operatorId)?.state,
      )
      this.#coordinators.set(operatorId, { operatorId, name, coordinator, attempts })
      await coordinator.start()
    } catch (error) {
      this.#fail(name, 'start', error)
    }
  }

  #perform(command: CoordinatorCommand): void {
    if (this.#over) return
    switch (command.type) {
      case 'event': {
        const { subtaskIndex, attemptId, event } = command
        const running = this.#coordinators.get(command.operatorId)
        if (running === undefined) break
        running.attempts.set(subtaskIndex, attemptId)
        this.#call(running, 'handleEvent', coordinator => coordinator.handleEvent(subtaskIndex, event))
        break
      }
      case 'reset':
        for (const { operatorId, subtaskIndex } of command.subtasks) {
          const running = this.#coordinators.get(operatorId)
          if (running === undefined) continue
          running.attempts.delete(subtaskIndex)
          this.#call(running, 'subtaskReset', coordinator =>
            coordinator.subtaskReset(subtaskIndex, command.checkpointId),
          )
        }
        break
      case 'snapshot':
        this.#snapshot(command.checkpointId)
        break
      case 'complete':
        for (const running of this.#coordinators.values())
          this.#call(running, 'notifyCheckpointComplete', coordinator =>
            coordinator.notifyCheckpointComplete?.(command.checkpointId),
          )
        break
      case 'aborted':
        for (const running of this.#coordinators.values())
          this.#call(running, 'notifyCheckpointAborted', coordinator =>
            coordinator.notifyCheckpointAborted?.(command.checkpointId),
          )
        break
    }
  }

  #snapshot(checkpointId: number): void {
    const states: CoordinatorState[] = []
    for (const { operatorId, name, coordinator } of this.#coordinators.values()) {
      try {
        states.push({ operatorId, state: coordinator.snapshot(checkpointId) })
      } catch (error) {
        const reason = serializeError(failureOf(name, 'snapshot', error))
        this.#ports.report({ type: 'snapshot-failed', checkpointId, reason })
        return
      }
    }
    this.#ports.report({ type: 'snapshot', checkpointId, states })
  }

  #call(
    { name, coordinator }: Running,
    step: string,
    call: (coordinator: OperatorCoordinator) => void | Promise<void>,
  ): void {
    if (this.#over) return
    try {
      const result = call(coordinator)
      if (result instanceof Promise) result.catch((error: unknown) => this.#fail(name, step, error))
    } catch (error) {
      this.#fail(name, step, error)
    }
  }

  #send(
    operatorId: OperatorId,
    attempts: ReadonlyMap<number, ExecutionAttemptId>,
    subtaskIndex: number,
    event: Uint8Array,
  ): void {
    const attemptId = attempts.get(subtaskIndex)
    if (attemptId === undefined || this.#over) return
    this.#ports.report({ type: 'event', operatorId, subtaskIndex, attemptId, event })
  }

  #fail(operator: string, step: string, error: unknown): void {
    if (this.#over) {
      this.#ports.logger.debug({ operator, step, error }, 'Error in a coordinator that is ending')
      return
    }
    this.#over = true
    this.#ports.report({ type: 'failed', error: serializeError(failureOf(operator, step, error)) })
  }
}

/** What is known of a failure stays as it is: whose fault, and whether to try again. */
function failureOf(operator: string, step: string, error: unknown): unknown {
  if (isFlinkError(error)) return error
  return CoordinatorFailed(
    { operator, step, error: error instanceof Error ? error.message : String(error) },
    error,
  )
}
