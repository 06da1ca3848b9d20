import { type ResourceId, type SerializedError, serializeError } from '@flink-ts/common'
import type { FailureEntry, TaskExecutionStateUpdate } from '@flink-ts/gateways'
import { isGloballyTerminal, type JobGraph, type JobStatus, type RestartStrategy } from '@flink-ts/jobgraph'
import { DeploymentRefused, NoResourceAvailable, TaskFailedWithoutCause, TaskManagerLost } from '../errors.ts'
import { type Execution, ExecutionGraph, taskName } from '../execution-graph/execution-graph.ts'
import { isDeployed, isTerminalExecution } from '../execution-graph/execution-state.ts'
import { canChangeStatus } from '../execution-graph/job-status.ts'
import { pipelinedRegions, type SubtaskKey } from '../failover/pipelined-regions.ts'
import { decideRestart } from '../failover/restart-strategy.ts'
import { SlotPool } from '../slotpool/slot-pool.ts'
import { slotDemands } from '../slotpool/slot-sharing.ts'
import type { SchedulerAction, SchedulerEvent } from './scheduler-protocol.ts'

export interface JobSchedulerOptions {
  readonly graph: JobGraph
  /** Random; part of all attempt ids. */
  readonly graphId: string
  readonly restartStrategy: RestartStrategy
  readonly slotRequestTimeoutMs: number
  /** After which slots beyond the need are given back. */
  readonly slotIdleTimeoutMs: number
  readonly maxFailureEntries: number
}

/**
 * Life of one job: waits for slots, deploys, restarts regions after failures, cancels. A state machine without I/O:
 * facts in (with the time), actions out. Late, repeated and foreign facts are ignored. Owner: JobMaster main thread.
 */
export class JobScheduler {
  readonly executionGraph: ExecutionGraph
  readonly #options: JobSchedulerOptions
  readonly #pool: SlotPool
  readonly #regionOf = new Map<SubtaskKey, readonly SubtaskKey[]>()
  readonly #dataAddresses = new Map<ResourceId, string>()
  readonly #timestamps: Partial<Record<JobStatus, number>> = {}
  readonly #failures: FailureEntry[] = []
  /** Subtasks of the restart under way: to be started again when all of them have ended and the delay is over. */
  readonly #restarting = new Set<SubtaskKey>()
  #restartDelayOver = false
  #status: JobStatus = 'INITIALIZING'
  #failureCount = 0
  #restarts = 0
  #epoch = 0
  #slotTimerRuns = false
  #rootCause: SerializedError | undefined
  #lastModification: number
  // Of the event being handled.
  #now: number
  #actions: SchedulerAction[] = []

  constructor(options: JobSchedulerOptions, nowMs: number) {
    this.#options = options
    this.#now = nowMs
    this.#lastModification = nowMs
    this.#timestamps.INITIALIZING = nowMs
    this.executionGraph = new ExecutionGraph(options.graph, options.graphId, nowMs)
    this.#pool = new SlotPool(slotDemands(options.graph))
    for (const region of pipelinedRegions(options.graph)) {
      for (const key of region) this.#regionOf.set(key, region)
    }
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

  /** What made the job fail for good. */
  get rootCause(): SerializedError | undefined {
    return this.#rootCause
  }

  /** The latest failures, oldest first. */
  get failures(): readonly FailureEntry[] {
    return this.#failures
  }

  /** How often a part of the job was started again. */
  get restarts(): number {
    return this.#restarts
  }

  /** Slots that the job needs and has. */
  get slots(): { readonly needed: number; readonly available: number } {
    return { needed: this.#pool.needed, available: this.#pool.available }
  }

  handle(nowMs: number, event: SchedulerEvent): readonly SchedulerAction[] {
    this.#now = nowMs
    this.#actions = []
    this.#route(event)
    return this.#actions
  }

  #route(event: SchedulerEvent): void {
    switch (event.type) {
      case 'initialized':
        if (this.#status === 'INITIALIZING') this.#start()
        break
      case 'initialization-failed':
        if (this.#status !== 'INITIALIZING') break
        this.#recordFailure(event.error, undefined)
        this.#rootCause = event.error
        this.#cancelAll()
        this.#terminate('FAILED')
        break
      case 'task-manager-registered':
        this.#dataAddresses.set(event.taskManager, event.dataAddress)
        break
      case 'task-manager-lost':
        this.#taskManagerLost(event.taskManager, event.reason)
        break
      case 'slots-offered':
        this.#slotsOffered(event)
        break
      case 'slot-lost':
        this.#slotLost(event)
        break
      case 'task-updated':
        this.#taskUpdated(event.taskManager, event.update)
        break
      case 'deployment-refused':
        this.#deploymentRefused(event)
        break
      case 'cancel-requested':
        this.#cancel()
        break
      case 'global-failure':
        this.#fail(event.error, undefined, [...this.#regionOf.keys()])
        break
      case 'suspended':
        if (this.#isOver()) break
        this.#changeStatus('SUSPENDED')
        this.#cancelTimers()
        break
      case 'timer':
        if (event.timer === 'restart') {
          this.#restartDelayOver = true
          this.#restartIfReady()
        } else if (event.timer === 'deploy') {
          this.#deployIfReady()
        } else if (event.timer === 'slot-idle') {
          this.#freeSurplus()
        } else {
          this.#slotRequestTimedOut()
        }
        break
    }
  }

  // Start and deployment

  #start(): void {
    this.#changeStatus('CREATED')
    this.#changeStatus('RUNNING')
    this.#act({ type: 'declare-slots', slots: this.#pool.needed })
    for (const execution of this.executionGraph.executions()) this.#transition(execution, 'SCHEDULED')
    this.#deployIfReady()
  }

  #deployIfReady(): void {
    const waiting = [...this.executionGraph.executions()].filter(execution => execution.state === 'SCHEDULED')
    if (waiting.length === 0 || this.#status !== 'RUNNING') return
    this.#pool.assign()
    const placed = waiting.map(execution => ({
      execution,
      slot: this.#pool.slotOf(execution.vertex.slotSharingGroup, execution.subtaskIndex),
    }))
    if (placed.some(({ slot }) => slot === undefined)) {
      if (this.#slotTimerRuns) return
      this.#slotTimerRuns = true
      this.#act({ type: 'set-timer', timer: 'slot-request', delayMs: this.#options.slotRequestTimeoutMs })
      return
    }
    this.#cancelSlotTimer()
    for (const { execution, slot } of placed) {
      const { allocationId, taskManager } = slot!
      this.executionGraph.locate(execution.key, {
        allocationId,
        taskManager,
        dataAddress: this.#dataAddresses.get(taskManager)!,
      })
      this.#transition(execution, 'DEPLOYING')
    }
    this.#act({ type: 'deploy', epoch: this.#epoch++, executions: waiting })
  }

  #slotRequestTimedOut(): void {
    this.#slotTimerRuns = false
    const waiting = [...this.executionGraph.executions()].filter(execution => execution.state === 'SCHEDULED')
    if (waiting.length === 0) return
    const { needed, available } = this.slots
    const timeoutMs = this.#options.slotRequestTimeoutMs
    const error = serializeError(NoResourceAvailable({ needed, available, timeoutMs }))
    // A job that never ran has asked for more than there is: trying again would say nothing new.
    const neverRan = this.#epoch === 0
    this.#fail(
      error,
      undefined,
      waiting.map(execution => execution.key),
      neverRan,
    )
  }

  // Slots and TaskManagers

  #slotsOffered({ taskManager, offers }: Extract<SchedulerEvent, { type: 'slots-offered' }>): void {
    const wanted = this.#status === 'CREATED' || this.#status === 'RUNNING' || this.#status === 'RESTARTING'
    const known = this.#dataAddresses.has(taskManager)
    const allocationIds = wanted && known ? this.#pool.offer(taskManager, offers) : []
    this.#act({ type: 'accept-slots', allocationIds })
    if (allocationIds.length === 0) return
    this.#act({ type: 'set-timer', timer: 'deploy', delayMs: 0 })
    if (this.#pool.available > this.#pool.needed) {
      this.#act({ type: 'set-timer', timer: 'slot-idle', delayMs: this.#options.slotIdleTimeoutMs })
    }
  }

  #freeSurplus(): void {
    for (const { taskManager, allocationId } of this.#pool.surplus()) {
      this.#pool.remove(allocationId)
      this.#act({ type: 'free-slot', taskManager, allocationId, reason: 'the job does not need it' })
    }
  }

  #slotLost({ taskManager, allocationId, cause }: Extract<SchedulerEvent, { type: 'slot-lost' }>): void {
    const slot = this.#pool.slots().find(candidate => candidate.allocationId === allocationId)
    if (slot === undefined || slot.taskManager !== taskManager) return
    this.#pool.remove(allocationId)
    this.#endExecutions(execution => execution.location?.allocationId === allocationId, cause)
  }

  #taskManagerLost(taskManager: ResourceId, reason: string): void {
    const dataAddress = this.#dataAddresses.get(taskManager)
    if (dataAddress === undefined) return
    this.#dataAddresses.delete(taskManager)
    this.#pool.removeTaskManager(taskManager)
    const cause = serializeError(TaskManagerLost({ taskManager, dataAddress, reason }))
    this.#endExecutions(execution => execution.location?.taskManager === taskManager, cause)
  }

  /** The place of these executions is gone, and they with it: one failure, whatever their number. */
  #endExecutions(gone: (execution: Execution) => boolean, cause: SerializedError): void {
    const failed: Execution[] = []
    for (const execution of this.executionGraph.executions()) {
      if (!gone(execution) || !isDeployed(execution.state)) continue
      if (execution.state !== 'CANCELING') failed.push(execution)
      this.#transition(execution, 'FAILED')
    }
    if (failed.length > 0)
      this.#fail(
        cause,
        failed[0],
        failed.map(execution => execution.key),
      )
    this.#afterTaskEnded()
  }

  // Tasks

  #taskUpdated(taskManager: ResourceId, update: TaskExecutionStateUpdate): void {
    const execution = this.executionGraph.byAttempt(update.attemptId)
    if (execution === undefined || execution.location?.taskManager !== taskManager) return
    if (isTerminalExecution(execution.state)) return
    this.executionGraph.setMetrics(execution.key, update.metrics)
    const stopping = execution.state === 'CANCELING'
    switch (update.status) {
      case 'DEPLOYING':
        break
      case 'INITIALIZING':
        this.#transition(execution, 'INITIALIZING')
        break
      case 'RUNNING':
        if (this.#transition(execution, 'RUNNING')) {
          this.#act({ type: 'task-running', attemptId: execution.attemptId })
        }
        break
      case 'FINISHED':
        if (stopping) {
          this.#transition(execution, 'CANCELED')
        } else {
          this.executionGraph.setAccumulators(execution.key, update.accumulators)
          this.#transition(execution, 'FINISHED')
          this.#act({ type: 'task-finished', attemptId: execution.attemptId })
        }
        break
      case 'CANCELED':
      case 'FAILED':
        this.#transition(execution, update.status)
        if (!stopping) {
          const error = update.error ?? serializeError(TaskFailedWithoutCause({ task: taskName(execution) }))
          this.#fail(error, execution, [execution.key])
        }
        break
    }
    this.#afterTaskEnded()
  }

  #deploymentRefused(event: Extract<SchedulerEvent, { type: 'deployment-refused' }>): void {
    const refused = event.attemptIds
      .map(attemptId => this.executionGraph.byAttempt(attemptId))
      .filter(execution => execution !== undefined)
      .filter(execution => isDeployed(execution.state))
    const failed = refused.filter(execution => execution.state !== 'CANCELING')
    for (const execution of refused) {
      this.#transition(execution, 'FAILED')
      // It may have been accepted in spite of the answer.
      this.#act({ type: 'cancel-task', taskManager: event.taskManager, attemptId: execution.attemptId })
    }
    const { taskManager, cause: refusal } = event
    const error = DeploymentRefused({ taskManager, reason: refusal.message })
    // What forbids another try forbids it here too.
    const final = refusal.code !== undefined && refusal.domain === 'user' && refusal.retry === 'no'
    const cause = final ? refusal : { ...serializeError(error), cause: refusal }
    if (failed.length > 0)
      this.#fail(
        cause,
        failed[0],
        failed.map(execution => execution.key),
      )
    this.#afterTaskEnded()
  }

  #afterTaskEnded(): void {
    const executions = [...this.executionGraph.executions()]
    switch (this.#status) {
      case 'RUNNING':
        if (executions.every(execution => execution.state === 'FINISHED')) this.#terminate('FINISHED')
        break
      case 'RESTARTING':
        this.#restartIfReady()
        break
      case 'FAILING':
        if (executions.every(execution => isTerminalExecution(execution.state))) this.#terminate('FAILED')
        break
      case 'CANCELLING':
        if (executions.every(execution => isTerminalExecution(execution.state))) this.#terminate('CANCELED')
        break
      default:
        break
    }
  }

  // Failure and end

  /** @param final no restart, whatever the strategy says */
  #fail(
    error: SerializedError,
    where: Execution | undefined,
    keys: readonly SubtaskKey[],
    final = false,
  ): void {
    if (this.#isOver()) return
    this.#recordFailure(error, where)
    if (this.#status === 'FAILING' || this.#status === 'CANCELLING') return
    this.#failureCount++
    const decision = final
      ? { type: 'fail' as const }
      : decideRestart(this.#options.restartStrategy, error, this.#failureCount)
    if (decision.type === 'fail') {
      this.#rootCause = error
      this.#cancelTimers()
      this.#changeStatus('FAILING')
      this.#cancelAll()
      this.#afterTaskEnded()
      return
    }
    this.#changeStatus('RESTARTING')
    this.#cancelSlotTimer()
    for (const key of this.#toRestart(keys)) this.#restarting.add(key)
    this.#stop([...this.#restarting])
    this.#restartDelayOver = false
    this.#act({ type: 'set-timer', timer: 'restart', delayMs: decision.delayMs })
  }

  /**
   * The regions of the given subtasks. With checkpoints on and finished tasks among the others: everything, since all
   * have to go back to the same checkpoint to reach a common last one.
   */
  #toRestart(keys: readonly SubtaskKey[]): readonly SubtaskKey[] {
    const checkpoints = this.#options.graph.checkpointing.intervalMs !== undefined
    const executions = [...this.executionGraph.executions()]
    if (checkpoints && executions.some(execution => execution.state === 'FINISHED')) {
      return executions.map(execution => execution.key)
    }
    return [...new Set(keys.flatMap(key => this.#regionOf.get(key) ?? []))]
  }

  #restartIfReady(): void {
    if (this.#status !== 'RESTARTING' || !this.#restartDelayOver) return
    const keys = [...this.#restarting]
    if (!keys.every(key => isTerminalExecution(this.executionGraph.get(key).state))) return
    this.#restarting.clear()
    this.#restartDelayOver = false
    this.#restarts++
    this.#changeStatus('RUNNING')
    for (const key of keys)
      this.#transition(this.executionGraph.startNextAttempt(key, this.#now), 'SCHEDULED')
    this.#deployIfReady()
  }

  #cancel(): void {
    if (this.#isOver() || this.#status === 'CANCELLING') return
    this.#cancelTimers()
    if (this.#status === 'INITIALIZING') {
      this.#cancelAll()
      this.#terminate('CANCELED')
      return
    }
    this.#changeStatus('CANCELLING')
    this.#cancelAll()
    this.#afterTaskEnded()
  }

  #cancelAll(): void {
    this.#restarting.clear()
    this.#stop([...this.#regionOf.keys()])
  }

  #stop(keys: readonly SubtaskKey[]): void {
    const attemptIds = keys.map(key => this.executionGraph.get(key).attemptId)
    this.#act({ type: 'tasks-stopped', attemptIds })
    for (const key of keys) {
      const execution = this.executionGraph.get(key)
      const { attemptId, location } = execution
      if (this.#transition(execution, 'CANCELING')) {
        this.#act({ type: 'cancel-task', taskManager: location!.taskManager, attemptId })
      } else {
        this.#transition(execution, 'CANCELED')
      }
    }
  }

  #terminate(status: 'FINISHED' | 'FAILED' | 'CANCELED'): void {
    this.#cancelTimers()
    this.#changeStatus(status)
    const reason = `job ${status.toLowerCase()}`
    this.#act({ type: 'declare-slots', slots: 0 })
    for (const { taskManager, allocationId } of this.#pool.slots()) {
      this.#act({ type: 'free-slot', taskManager, allocationId, reason })
    }
    this.#act({ type: 'job-terminated' })
  }

  #recordFailure(error: SerializedError, where: Execution | undefined): void {
    this.#failures.push({
      timestamp: this.#now,
      error,
      task: where === undefined ? undefined : taskName(where),
      location: where?.location?.dataAddress,
    })
    if (this.#failures.length > this.#options.maxFailureEntries) this.#failures.shift()
  }

  #cancelTimers(): void {
    this.#act({ type: 'cancel-timer', timer: 'deploy' })
    this.#act({ type: 'cancel-timer', timer: 'slot-idle' })
    this.#cancelSlotTimer()
    if (this.#status === 'RESTARTING') this.#act({ type: 'cancel-timer', timer: 'restart' })
  }

  #cancelSlotTimer(): void {
    if (!this.#slotTimerRuns) return
    this.#slotTimerRuns = false
    this.#act({ type: 'cancel-timer', timer: 'slot-request' })
  }

  #isOver(): boolean {
    return isGloballyTerminal(this.#status) || this.#status === 'SUSPENDED'
  }

  #transition(execution: Execution, to: Execution['state']): boolean {
    const done = this.executionGraph.transition(execution.key, to, this.#now)
    if (done) this.#lastModification = this.#now
    return done
  }

  #changeStatus(to: JobStatus): void {
    if (!canChangeStatus(this.#status, to)) return
    this.#status = to
    this.#timestamps[to] = this.#now
    this.#lastModification = this.#now
  }

  #act(action: SchedulerAction): void {
    this.#actions.push(action)
  }
}
