import { type Logger, type OperatorId, type SerializedError, serializeError } from '@flink-ts/common'
import type {
  CoordinatorReport,
  JobInformation,
  OperatorEvent,
  TaskExecutorGateway,
} from '@flink-ts/gateways'
import type { CheckpointMetadata } from '@flink-ts/state'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import { OperatorEventNotDelivered } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { isDeployed } from '../execution-graph/execution-state.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { CoordinatorsHandle, JobHosts } from './job-hosts.ts'

export interface JobCoordinatorsDependencies {
  readonly hosts: JobHosts
  readonly logger: Logger
  /** The execution that now has this attempt id, if it is a current one. */
  readonly execution: (attemptId: OperatorEvent['attemptId']) => Execution | undefined
  /** The TaskManager where an execution runs; undefined: it is gone, which is an event of its own. */
  readonly taskManagerOf: (execution: Execution) => TaskExecutorGateway | undefined
  readonly coordinate: (event: CoordinatorEvent) => void
  /** Failures concern all tasks: there are no coordinators any more, until the next deployment. */
  readonly schedule: (event: SchedulerEvent) => void
}

/**
 * The coordinators of one job, seen from its JobMaster: starts them with the first deployment and again after a
 * failure, resets subtasks before they are deployed again, and carries events, of which those of attempts that are not
 * current any more are dropped. For jobs without coordinated operators nothing here does anything. Owner: JobMaster
 * main thread.
 */
export class JobCoordinators {
  /** Some operator has a coordinator. */
  readonly needed: boolean
  readonly #job: JobInformation
  readonly #ports: JobCoordinatorsDependencies
  /** Coordinated operators by vertex. */
  readonly #operators: ReadonlyMap<string, readonly OperatorId[]>
  #runs = 0
  #handle: CoordinatorsHandle | undefined

  constructor(job: JobInformation, dependencies: JobCoordinatorsDependencies) {
    this.#job = job
    this.#ports = dependencies
    this.#operators = new Map(
      job.graph.vertices.map(vertex => [
        vertex.id,
        vertex.operators
          .filter(({ coordinated }) => coordinated === true)
          .map(({ operatorId }) => operatorId),
      ]),
    )
    this.needed = [...this.#operators.values()].some(operators => operators.length > 0)
  }

  /** The job will be deployed: has a job host started meanwhile. */
  prepare(): void {
    if (this.needed) this.#ports.hosts.reserve(this.#job.jobId)
  }

  /** Before these executions are submitted. Without a run, that is, at first and after a failure, they are all. */
  deploy(executions: readonly Execution[], restored: CheckpointMetadata | undefined): void {
    if (!this.needed) return
    if (this.#handle === undefined) {
      this.#start(restored)
      return
    }
    const subtasks = executions.flatMap(({ vertex, subtaskIndex }) =>
      (this.#operators.get(vertex.id) ?? []).map(operatorId => ({ operatorId, subtaskIndex })),
    )
    if (subtasks.length > 0) {
      this.#handle.tell({ type: 'reset', subtasks, checkpointId: restored?.checkpointId })
    }
  }

  /** An event of the current attempt of a subtask. */
  fromTask(event: OperatorEvent): void {
    this.#handle?.tell({ type: 'event', ...event })
  }

  /** Answered by an event for the CheckpointCoordinator, or there is a failure. */
  snapshot(checkpointId: number): void {
    this.#handle?.tell({ type: 'snapshot', checkpointId })
  }

  notifyComplete(checkpointId: number): void {
    this.#handle?.tell({ type: 'complete', checkpointId })
  }

  notifyAborted(checkpointId: number): void {
    this.#handle?.tell({ type: 'aborted', checkpointId })
  }

  /** All tasks are about to start again from a checkpoint: what coordinators did since then is forgotten with them. */
  forget(): void {
    // Never rejects.
    void this.#handle?.stop()
    this.#handle = undefined
  }

  /** The job is over. Never rejects. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.stop()
    if (this.needed) this.#ports.hosts.release(this.#job.jobId)
  }

  #start(restored: CheckpointMetadata | undefined): void {
    const run = ++this.#runs
    const { hosts, logger, schedule } = this.#ports
    const { jobId } = this.#job
    const states = (restored?.operators ?? []).flatMap(({ operatorId, coordinator }) =>
      coordinator === undefined ? [] : [{ operatorId, state: Buffer.from(coordinator.base64, 'base64') }],
    )
    const isCurrent = (): boolean => this.#runs === run && this.#handle !== undefined
    const failed = (error: SerializedError): void => {
      if (!isCurrent()) return
      this.#handle = undefined
      logger.warn({ run, error }, 'Coordinators failed')
      schedule({ type: 'global-failure', error })
    }
    this.#handle = hosts.start(
      { jobId, run, job: this.#job, restoredCheckpointId: restored?.checkpointId, states },
      {
        report: report => {
          if (isCurrent()) this.#onReport(report, failed)
        },
        lost: failed,
      },
    )
  }

  #onReport(report: CoordinatorReport, failed: (error: SerializedError) => void): void {
    switch (report.type) {
      case 'started':
        this.#ports.logger.debug({}, 'Coordinators have started')
        break
      case 'event':
        this.#toTask(report)
        break
      case 'snapshot':
        this.#ports.coordinate({
          type: 'coordinators-snapshotted',
          checkpointId: report.checkpointId,
          states: report.states,
        })
        break
      case 'snapshot-failed':
        this.#ports.coordinate({
          type: 'trigger-failed',
          checkpointId: report.checkpointId,
          reason: report.reason,
        })
        break
      case 'failed':
        failed(report.error)
        break
    }
  }

  #toTask({ operatorId, attemptId, event }: OperatorEvent): void {
    const execution = this.#ports.execution(attemptId)
    // What it brought is given back when the subtask is reset.
    if (execution === undefined || !isDeployed(execution.state) || execution.state === 'CANCELING') return
    const gateway = this.#ports.taskManagerOf(execution)
    gateway?.sendOperatorEvent(attemptId, operatorId, event).catch((error: unknown) => {
      if (this.#ports.taskManagerOf(execution) !== gateway || this.#handle === undefined) return
      // The coordinator believes that it arrived.
      const failure = OperatorEventNotDelivered({ attemptId })
      const cause = serializeError(error)
      this.#ports.schedule({ type: 'global-failure', error: { ...serializeError(failure), cause } })
    })
  }
}
