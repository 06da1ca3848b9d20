import { isGloballyTerminal, type JobStatus } from '@flink-ts/jobgraph'
import type { Execution, ExecutionGraph } from '../execution-graph/execution-graph.ts'
import { canChangeStatus } from '../execution-graph/job-status.ts'
import type { SchedulerAction } from './scheduler-protocol.ts'

/**
 * What the parts of the scheduler share: the status of the job, the states of its tasks, and the actions that answer
 * the event being handled. Owner: the scheduler.
 */
export class JobState {
  readonly executionGraph: ExecutionGraph
  readonly #timestamps: Partial<Record<JobStatus, number>> = {}
  #status: JobStatus = 'INITIALIZING'
  #lastModification: number
  #now: number
  #actions: SchedulerAction[] = []

  /** @param startedAt of the job, if it is not new */
  constructor(executionGraph: ExecutionGraph, nowMs: number, startedAt: number = nowMs) {
    this.executionGraph = executionGraph
    this.#now = nowMs
    this.#lastModification = nowMs
    this.#timestamps.INITIALIZING = startedAt
  }

  get status(): JobStatus {
    return this.#status
  }

  /** When each status was entered last. */
  get timestamps(): Readonly<Partial<Record<JobStatus, number>>> {
    return this.#timestamps
  }

  get lastModification(): number {
    return this.#lastModification
  }

  /** The time of the event being handled; milliseconds since the epoch. */
  get now(): number {
    return this.#now
  }

  get isOver(): boolean {
    return isGloballyTerminal(this.#status) || this.#status === 'SUSPENDED'
  }

  /** An event begins. */
  begin(nowMs: number): void {
    this.#now = nowMs
    this.#actions = []
  }

  /** What the event led to so far. */
  get actions(): readonly SchedulerAction[] {
    return this.#actions
  }

  act(action: SchedulerAction): void {
    this.#actions.push(action)
  }

  /** Changes the state of a task if that is possible; says whether it was. */
  transition(execution: Execution, to: Execution['state']): boolean {
    const done = this.executionGraph.transition(execution.key, to, this.#now)
    if (done) this.#lastModification = this.#now
    return done
  }

  /** Ignored if the status cannot follow the present one. */
  changeStatus(to: JobStatus): void {
    if (!canChangeStatus(this.#status, to)) return
    this.#status = to
    this.#timestamps[to] = this.#now
    this.#lastModification = this.#now
  }
}
