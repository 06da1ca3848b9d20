import { type Random, type ResourceId, type SerializedError, serializeError } from '@flink-ts/common'
import type { FailureEntry } from '@flink-ts/gateways'
import type { JobGraph, JobStatus, RestartStrategy } from '@flink-ts/jobgraph'
import { TaskManagerLost } from '../errors.ts'
import { type Execution, ExecutionGraph } from '../execution-graph/execution-graph.ts'
import { isDeployed, isTerminalExecution } from '../execution-graph/execution-state.ts'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import { RestartDecider } from '../failover/restart-strategy.ts'
import { FailureHistory } from './failure-history.ts'
import { JobState } from './job-state.ts'
import { RegionFailover } from './region-failover.ts'
import type { SchedulerAction, SchedulerEvent, SchedulerTimer } from './scheduler-protocol.ts'
import { SlotAllocation } from './slot-allocation.ts'
import { TaskOutcomes } from './task-outcomes.ts'

export interface JobSchedulerOptions {
  readonly graph: JobGraph
  /** Random; part of all attempt ids. */
  readonly graphId: string
  readonly restartStrategy: RestartStrategy
  readonly slotRequestTimeoutMs: number
  /** After which slots beyond the need are given back. */
  readonly slotIdleTimeoutMs: number
  readonly maxFailureEntries: number
  /** When the job began, if that was under another leader; milliseconds since the epoch. */
  readonly startedAt?: number | undefined
}

/**
 * Life of one job: waits for slots, deploys, restarts regions after failures, cancels. A state machine without I/O:
 * facts in (with the time), actions out. Late, repeated and foreign facts are ignored. Owner: JobMaster main thread.
 */
export class JobScheduler {
  readonly executionGraph: ExecutionGraph
  readonly #state: JobState
  readonly #slots: SlotAllocation
  readonly #tasks: TaskOutcomes
  readonly #failover: RegionFailover
  readonly #restartDecider: RestartDecider
  readonly #failures: FailureHistory
  #rootCause: SerializedError | undefined

  constructor(options: JobSchedulerOptions, nowMs: number, dependencies: { readonly random: Random }) {
    const { graph } = options
    this.executionGraph = new ExecutionGraph(graph, options.graphId, nowMs)
    this.#state = new JobState(this.executionGraph, nowMs, options.startedAt)
    this.#slots = new SlotAllocation(options, this.#state)
    this.#tasks = new TaskOutcomes(this.#state, (error, where, keys) => this.#fail(error, where, keys))
    this.#failover = new RegionFailover(graph, this.#state)
    this.#restartDecider = new RestartDecider(options.restartStrategy, dependencies)
    this.#failures = new FailureHistory({ maxEntries: options.maxFailureEntries })
  }

  get status(): JobStatus {
    return this.#state.status
  }

  /** When each status was entered last. */
  get timestamps(): Readonly<Partial<Record<JobStatus, number>>> {
    return this.#state.timestamps
  }

  get lastModification(): number {
    return this.#state.lastModification
  }

  /** What made the job fail for good. */
  get rootCause(): SerializedError | undefined {
    return this.#rootCause
  }

  /** The latest failures, oldest first. */
  get failures(): readonly FailureEntry[] {
    return this.#failures.entries
  }

  /** The latest error of all. */
  get latestError(): SerializedError | undefined {
    return this.#failures.latest
  }

  /** How often a part of the job was started again. */
  get restarts(): number {
    return this.#failover.restarts
  }

  /** Slots that the job needs and has. */
  get slots(): { readonly needed: number; readonly available: number } {
    return this.#slots.slots
  }

  handle(nowMs: number, event: SchedulerEvent): readonly SchedulerAction[] {
    this.#state.begin(nowMs)
    this.#route(event)
    return this.#state.actions
  }

  #route(event: SchedulerEvent): void {
    switch (event.type) {
      case 'initialized':
        if (this.status === 'INITIALIZING') this.#start()
        break
      case 'initialization-failed':
        if (this.status !== 'INITIALIZING') break
        this.#failures.add(event.error, undefined, this.#state.now, false)
        this.#rootCause = event.error
        this.#failover.cancelAll()
        this.#terminate('FAILED')
        break
      case 'task-manager-registered':
        this.#slots.registered(event.taskManager, event.dataAddress)
        break
      case 'task-manager-leaving':
        if (this.#state.isOver) break
        this.#slots.leave(event.taskManager)
        this.#slots.freeLeft()
        break
      case 'task-manager-draining':
        this.#taskManagerDraining(event.taskManager)
        break
      case 'task-manager-lost':
        this.#taskManagerLost(event.taskManager, event.reason)
        break
      case 'slots-offered':
        this.#slots.offered(event)
        break
      case 'slot-lost': {
        const { taskManager, allocationId, cause } = event
        if (!this.#slots.slotLost(taskManager, allocationId)) break
        this.#tasks.placeLost(execution => execution.location?.allocationId === allocationId, cause)
        this.#afterTaskEnded()
        break
      }
      case 'task-updated':
        if (this.#tasks.updated(event.taskManager, event.update)) this.#afterTaskEnded()
        break
      case 'deployment-refused':
        this.#tasks.refused(event)
        this.#afterTaskEnded()
        break
      case 'cancel-requested':
        this.#cancel()
        break
      case 'global-failure':
        this.#fail(event.error, undefined, this.#failover.all)
        break
      case 'restart-all':
        // Otherwise all tasks are being stopped for good.
        if (this.status === 'RESTARTING') this.#failover.widen()
        break
      case 'suspended':
        if (this.#state.isOver) break
        this.#state.changeStatus('SUSPENDED')
        this.#cancelTimers()
        break
      case 'timer':
        this.#timer(event.timer)
        break
    }
  }

  #timer(timer: SchedulerTimer): void {
    switch (timer) {
      case 'restart':
        this.#failover.delayIsOver()
        this.#restartIfReady()
        break
      case 'deploy':
        this.#slots.deployIfReady()
        break
      case 'slot-idle':
        this.#slots.freeSurplus()
        break
      case 'slot-request': {
        const outcome = this.#slots.timedOut()
        if (outcome === undefined) break
        const keys = outcome.waiting.map(execution => execution.key)
        // A job that never ran has asked for more than there is: trying again would say nothing new.
        this.#fail(outcome.error, undefined, keys, outcome.neverRan)
        break
      }
    }
  }

  #start(): void {
    this.#state.changeStatus('CREATED')
    this.#state.changeStatus('RUNNING')
    this.#state.act({ type: 'declare-slots', slots: this.slots.needed })
    for (const execution of this.executionGraph.executions()) this.#state.transition(execution, 'SCHEDULED')
    this.#slots.deployIfReady()
  }

  /** A restart that is no failure: it counts in no restart strategy. */
  #taskManagerDraining(taskManager: ResourceId): void {
    const { status } = this
    // Otherwise everything is being stopped for good.
    if (status !== 'RUNNING' && status !== 'RESTARTING') return
    const keys = [...this.executionGraph.executions()]
      .filter(({ state, location }) => isDeployed(state) && location?.taskManager === taskManager)
      .map(({ key }) => key)
    if (keys.length === 0) return
    if (status === 'RESTARTING') {
      // After the delay of the restart that is under way.
      this.#failover.join(keys)
      return
    }
    this.#state.changeStatus('RESTARTING')
    this.#slots.cancelTimer()
    this.#failover.begin(keys, 0)
  }

  #taskManagerLost(taskManager: ResourceId, reason: string): void {
    const dataAddress = this.#slots.lost(taskManager)
    if (dataAddress === undefined) return
    const cause = serializeError(TaskManagerLost({ taskManager, dataAddress, reason }))
    this.#tasks.placeLost(execution => execution.location?.taskManager === taskManager, cause)
    this.#afterTaskEnded()
  }

  #afterTaskEnded(): void {
    switch (this.status) {
      case 'RUNNING':
        if (this.#every(execution => execution.state === 'FINISHED')) this.#terminate('FINISHED')
        break
      case 'RESTARTING':
        this.#restartIfReady()
        break
      case 'FAILING':
        if (this.#every(execution => isTerminalExecution(execution.state))) this.#terminate('FAILED')
        break
      case 'CANCELLING':
        if (this.#every(execution => isTerminalExecution(execution.state))) this.#terminate('CANCELED')
        break
      default:
        break
    }
  }

  #every(holds: (execution: Execution) => boolean): boolean {
    for (const execution of this.executionGraph.executions()) if (!holds(execution)) return false
    return true
  }

  // Failure and end

  /** @param final no restart, whatever the strategy says */
  #fail(
    error: SerializedError,
    where: Execution | undefined,
    keys: readonly SubtaskKey[],
    final = false,
  ): void {
    if (this.#state.isOver) return
    const { status, now } = this.#state
    this.#failures.add(error, where, now, status === 'RESTARTING' || status === 'FAILING')
    if (status === 'FAILING' || status === 'CANCELLING') return
    const decision = final ? { type: 'fail' as const } : this.#restartDecider.failed(error, now)
    if (decision.type === 'fail') {
      this.#rootCause = error
      this.#cancelTimers()
      this.#state.changeStatus('FAILING')
      this.#failover.cancelAll()
      this.#afterTaskEnded()
      return
    }
    this.#state.changeStatus('RESTARTING')
    this.#slots.cancelTimer()
    this.#failover.begin(keys, decision.delayMs)
  }

  #restartIfReady(): void {
    if (!this.#failover.restart()) return
    this.#slots.freeLeft()
    this.#slots.deployIfReady()
  }

  #cancel(): void {
    if (this.#state.isOver || this.status === 'CANCELLING') return
    this.#cancelTimers()
    if (this.status === 'INITIALIZING') {
      this.#failover.cancelAll()
      this.#terminate('CANCELED')
      return
    }
    this.#state.changeStatus('CANCELLING')
    this.#failover.cancelAll()
    this.#afterTaskEnded()
  }

  #terminate(status: 'FINISHED' | 'FAILED' | 'CANCELED'): void {
    this.#cancelTimers()
    this.#state.changeStatus(status)
    this.#slots.freeAll(`job ${status.toLowerCase()}`)
    this.#state.act({ type: 'job-terminated' })
  }

  #cancelTimers(): void {
    this.#state.act({ type: 'cancel-timer', timer: 'deploy' })
    this.#state.act({ type: 'cancel-timer', timer: 'slot-idle' })
    this.#slots.cancelTimer()
    if (this.status === 'RESTARTING') this.#state.act({ type: 'cancel-timer', timer: 'restart' })
  }
}
