import {
  type AllocationId,
  CHECKPOINTS_DIRECTORY,
  type Clock,
  type Configuration,
  Deferred,
  type ExecutionAttemptId,
  type JobId,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  type ResourceId,
  type SerializedError,
  serializeError,
  type Timer,
} from '@flink-ts/common'
import {
  type JobDetails,
  type JobInformation,
  type JobMasterGateway,
  type JobOver,
  type JobOverview,
  type JobResult,
  type JobSubmission,
  jobMasterEndpointName,
  type TaskExecutorGateway,
} from '@flink-ts/gateways'
import { isGloballyTerminal, type JobStatus } from '@flink-ts/jobgraph'
import type { RpcEndpoint, RpcService, RpcSession } from '@flink-ts/rpc'
import type { CheckpointMetadata, CheckpointStorage } from '@flink-ts/state'
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts'
import { keepsCheckpoints } from '../checkpoint/cleaner.ts'
import type { CoordinatorAction, CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import { assignTaskState, checkRestorable } from '../checkpoint/state-assignment.ts'
import { CheckpointDirectoryMissing, JobIsOver, JobSuspended, RestoreFailed } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { resolveRestartStrategy } from '../failover/restart-strategy.ts'
import { JobManagerOptionKeys } from '../jobmanager-options.ts'
import { planDeployment, type SlotDeployment } from '../scheduler/deployment-plan.ts'
import { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerAction, SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import { mergeAccumulators } from './accumulators.ts'
import { CheckpointIo } from './checkpoint-io.ts'
import { describeJob, describeOverview } from './job-details.ts'
import { ResourceManagerConnection } from './resource-manager-connection.ts'
import { TaskManagerRegistry } from './task-manager-registry.ts'
import { serveTaskManager } from './task-manager-session.ts'

/** How long the end of a job waits for storage and TaskManagers to be cleaned up. */
const CLEANUP_TIMEOUT_MS = 10_000

export interface JobMasterOptions {
  readonly submission: JobSubmission
  readonly configuration: Configuration
  /** `host:port` of the ResourceManager. */
  readonly resourceManagerAddress: string
  /** `host:port` where TaskManagers fetch blobs. */
  readonly blobAddress: string
}

export interface JobMasterDependencies {
  readonly rpc: RpcService
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** @param directory base URI of the checkpoints of all jobs */
  readonly storageFactory: (directory: string, jobId: JobId) => CheckpointStorage
  /** Called once, when the job is over and cleaned up. */
  readonly onTerminal?: (result: JobResult) => void
}

/**
 * Endpoint that runs one job: carries messages and timers to the {@link JobScheduler} and the
 * {@link CheckpointCoordinator}, which decide, and does what they say. Main thread of the JobManager process; events
 * are handled one at a time.
 */
export class JobMaster implements RpcEndpoint {
  readonly endpointName: string
  readonly leaderSessionId: LeaderSessionId
  readonly #deps: JobMasterDependencies
  readonly #logger: Logger
  readonly #jobId: JobId
  readonly #job: JobInformation
  readonly #scheduler: JobScheduler
  readonly #resourceManager: ResourceManagerConnection
  readonly #taskManagers = new TaskManagerRegistry()
  readonly #timers = new Map<string, Timer>()
  readonly #result = new Deferred<JobResult>()
  /** Calls that tell TaskManagers to give up slots. */
  readonly #farewells: Promise<void>[] = []
  readonly #queue: (() => void)[] = []
  #draining = false
  #coordinator: CheckpointCoordinator
  #checkpointIo: CheckpointIo | undefined
  #acceptedSlots: readonly AllocationId[] = []
  #discardJob = false

  constructor(options: JobMasterOptions, dependencies: JobMasterDependencies) {
    const { graph, program } = options.submission
    const { configuration, blobAddress } = options
    this.#deps = dependencies
    this.#jobId = graph.jobId
    this.#logger = dependencies.logger.child({ component: 'jobmanager', jobId: graph.jobId })
    this.endpointName = jobMasterEndpointName(graph.jobId)
    this.leaderSessionId = newId(dependencies.random)
    const configured = configuration.get(CHECKPOINTS_DIRECTORY)
    const checkpointDirectory = graph.checkpointing.directory ?? (configured === '' ? undefined : configured)
    this.#job = { jobId: graph.jobId, graph, program, blobAddress, checkpointDirectory }
    this.#coordinator = new CheckpointCoordinator({ graph, restored: undefined })
    this.#scheduler = new JobScheduler(
      {
        graph,
        graphId: newId(dependencies.random),
        restartStrategy: resolveRestartStrategy(graph, configuration),
        slotRequestTimeoutMs: configuration.get(JobManagerOptionKeys.slotRequestTimeout),
        slotIdleTimeoutMs: configuration.get(JobManagerOptionKeys.slotIdleTimeout),
        maxFailureEntries: configuration.get(JobManagerOptionKeys.exceptionHistorySize),
      },
      dependencies.clock.now(),
      { random: dependencies.random },
    )
    const { rpc, clock } = dependencies
    const { resourceManagerAddress } = options
    this.#resourceManager = new ResourceManagerConnection(
      { jobId: graph.jobId, resourceManagerAddress, endpointName: this.endpointName },
      {
        rpc,
        clock,
        logger: this.#logger,
        handlers: {
          notifyNotEnoughResources: async ({ required, available }) =>
            this.#logger.warn({ required, available }, 'Waiting for slots'),
        },
      },
    )
  }

  /** Lets TaskManagers in and starts the job. */
  start(): void {
    this.#deps.rpc.serve(this)
    this.#logger.info({ name: this.#job.graph.name }, 'Job accepted')
    this.#initialize().then(
      () => this.#schedule({ type: 'initialized' }),
      (error: unknown) => this.#schedule({ type: 'initialization-failed', error: serializeError(error) }),
    )
  }

  overview(): JobOverview {
    return describeOverview(this.#scheduler)
  }

  details(): JobDetails {
    return describeJob(this.#scheduler, this.#coordinator.counts)
  }

  /** Idempotent; does not wait for the end. */
  async cancel(): Promise<void> {
    this.#schedule({ type: 'cancel-requested' })
  }

  /** Settles when the job is over and cleaned up; never rejects. */
  result(): Promise<JobResult> {
    return this.#result.promise
  }

  /** Ends all connections. A running job is suspended: its TaskManagers free its slots, its checkpoints stay. */
  async close(): Promise<void> {
    this.#schedule({ type: 'suspended' })
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#resourceManager.close('the JobManager stops')
    this.#deps.rpc.withdraw(this.endpointName)
    if (this.#result.settled) return
    if (this.#scheduler.status === 'SUSPENDED') this.#coordinate({ type: 'job-over', status: 'SUSPENDED' })
    await this.#bounded(this.#checkpointIo?.drain() ?? Promise.resolve())
    if (this.#result.settled) return
    const error = serializeError(JobSuspended({ jobId: this.#jobId }))
    this.#result.resolve({ status: 'FAILED', jobId: this.#jobId, error })
  }

  acceptSession(session: RpcSession): JobMasterGateway {
    const { status } = this.#scheduler
    if (isGloballyTerminal(status)) throw JobIsOver({ jobId: this.#jobId, status })
    return serveTaskManager(session, {
      logger: this.#logger,
      taskManagers: this.#taskManagers,
      executionGraph: this.#scheduler.executionGraph,
      isOver: () => isGloballyTerminal(this.#scheduler.status),
      schedule: event => this.#schedule(event),
      coordinate: event => this.#coordinate(event),
      operatorEvent: () => {},
      offer: (taskManager, offers) => {
        this.#schedule({ type: 'slots-offered', taskManager, offers })
        return this.#acceptedSlots
      },
    })
  }

  // Start

  async #initialize(): Promise<void> {
    const { graph, checkpointDirectory } = this.#job
    const restore = graph.restoreFrom
    if (graph.checkpointing.intervalMs === undefined && restore === undefined) return
    if (checkpointDirectory === undefined) throw CheckpointDirectoryMissing({ jobName: graph.name })
    const storage = this.#deps.storageFactory(checkpointDirectory, this.#jobId)
    if (graph.checkpointing.intervalMs !== undefined) await storage.prepare()
    this.#checkpointIo = new CheckpointIo(storage, this.#logger, event => this.#coordinate(event))
    if (restore === undefined) return
    const restored = await readSnapshot(storage, restore.path)
    checkRestorable(graph, restored, restore)
    this.#coordinator = new CheckpointCoordinator({ graph, restored })
    this.#logger.info(
      { path: restore.path, checkpointId: restored.checkpointId },
      'Job starts from a snapshot',
    )
  }

  // Events

  #schedule(event: SchedulerEvent): void {
    this.#enqueue(() => {
      const before = this.#scheduler.status
      const actions = this.#scheduler.handle(this.#deps.clock.now(), event)
      this.#logStatus(before, this.#scheduler.status)
      for (const action of actions) this.#perform(action)
    })
  }

  #coordinate(event: CoordinatorEvent): void {
    this.#enqueue(() => {
      const { clock } = this.#deps
      const time = { epochMs: clock.now(), monotonicMs: clock.monotonicMs() }
      for (const action of this.#coordinator.handle(time, event)) this.#performCheckpoint(action)
    })
  }

  /** One event after the other: what an action causes at once waits for the other actions of the same event. */
  #enqueue(work: () => void): void {
    this.#queue.push(work)
    if (this.#draining) return
    this.#draining = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
    } finally {
      this.#draining = false
    }
  }

  #logStatus(before: JobStatus, after: JobStatus): void {
    if (before === after) return
    const latest = this.#scheduler.latestError
    const failed = after === 'RESTARTING' || after === 'FAILING' || after === 'FAILED'
    const { restarts } = this.#scheduler
    const fields = { from: before, to: after, restarts, ...(failed ? { error: latest } : {}) }
    this.#logger.info(fields, 'Job changed state')
  }

  // Actions of the scheduler

  #perform(action: SchedulerAction): void {
    switch (action.type) {
      case 'accept-slots':
        this.#acceptedSlots = action.allocationIds
        break
      case 'declare-slots':
        this.#resourceManager.open()
        this.#farewells.push(this.#resourceManager.declare(action.slots))
        break
      case 'deploy':
        this.#deploy(action.epoch, action.executions)
        break
      case 'cancel-task':
        this.#cancelTask(action.taskManager, action.attemptId)
        break
      case 'free-slot': {
        const { taskManager, allocationId, reason } = action
        const freed = this.#taskManagers.gateway(taskManager)?.freeSlot(allocationId, reason, this.#jobOver())
        if (freed === undefined) break
        this.#farewells.push(
          freed.catch((error: unknown) => this.#logger.debug({ allocationId, error }, 'Slot not freed')),
        )
        break
      }
      case 'set-timer':
        this.#setTimer(action.timer, action.delayMs, () =>
          this.#schedule({ type: 'timer', timer: action.timer }),
        )
        break
      case 'cancel-timer':
        this.#cancelTimer(action.timer)
        break
      case 'task-running':
      case 'task-finished':
      case 'tasks-stopped':
        this.#coordinate(action)
        break
      case 'job-terminated':
        this.#coordinate({ type: 'job-over', status: this.#scheduler.status })
        this.#enqueue(() => {
          // Handles its own errors; the result tells when it is done.
          void this.#finish()
        })
        break
    }
  }

  #jobOver(): JobOver | undefined {
    const { status } = this.#scheduler
    if (!isGloballyTerminal(status)) return undefined
    const kept = keepsCheckpoints(this.#job.graph.checkpointing.externalizedRetention, status)
    return { retainedCheckpointId: (kept ? this.#coordinator.restorePoint?.checkpointId : undefined) ?? null }
  }

  #deploy(epoch: number, executions: readonly Execution[]): void {
    const restored = this.#coordinator.restorePoint
    let plan: readonly SlotDeployment[]
    try {
      plan = planDeployment(this.#job.graph, epoch, executions, ({ vertex, subtaskIndex }) =>
        restored === undefined
          ? undefined
          : { checkpointId: restored.checkpointId, state: assignTaskState(restored, vertex, subtaskIndex) },
      )
    } catch (error) {
      // State that cannot be assigned: no TaskManager has heard of these tasks.
      const attemptIds = executions.map(execution => execution.attemptId)
      const { taskManager } = executions[0]!.location!
      this.#schedule({ type: 'deployment-refused', taskManager, attemptIds, cause: serializeError(error) })
      return
    }
    this.#logger.info(
      { epoch, tasks: executions.length, checkpointId: restored?.checkpointId },
      'Tasks are being deployed',
    )
    this.#coordinate({ type: 'tasks-deployed', tasks: executions })
    for (const slot of plan) this.#submit(slot)
  }

  #submit({ taskManager: { taskManager }, tasks }: SlotDeployment): void {
    const gateway = this.#taskManagers.gateway(taskManager)
    // Gone: its loss is an event of its own.
    if (gateway === undefined) return
    const attemptIds = tasks.map(task => task.attemptId)
    gateway.submitTasks({ job: this.#job, tasks }).catch((error: unknown) => {
      this.#logger.warn({ taskManager, attemptIds, error }, 'Tasks not accepted')
      this.#schedule({ type: 'deployment-refused', taskManager, attemptIds, cause: serializeError(error) })
    })
  }

  #cancelTask(taskManager: ResourceId, attemptId: ExecutionAttemptId): void {
    this.#taskManagers
      .gateway(taskManager)
      ?.cancelTask(attemptId)
      .catch((error: unknown) => {
        const execution = this.#scheduler.executionGraph.byAttempt(attemptId)
        if (execution === undefined || execution.state !== 'CANCELING') return
        this.#logger.warn({ taskManager, attemptId, error }, 'Task not cancelled: giving up its TaskManager')
        this.#taskManagers.disconnect(taskManager, 'it did not cancel a task')
      })
  }

  // Actions of the coordinator

  #performCheckpoint(action: CoordinatorAction): void {
    switch (action.type) {
      case 'trigger': {
        const { checkpointId } = action.trigger
        this.#logger.debug({ checkpointId }, 'Checkpoint triggered')
        this.#tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.triggerCheckpoint(attemptIds, action.trigger),
          reason => this.#coordinate({ type: 'trigger-failed', checkpointId, reason }),
        )
        break
      }
      case 'store':
        this.#checkpointIo?.store(action.metadata)
        break
      case 'notify-complete': {
        const { checkpointId } = action
        const { latestCompleted } = this.#coordinator.counts
        this.#logger.info({ checkpointId, ...latestCompleted }, 'Checkpoint complete')
        this.#tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.notifyCheckpointComplete(attemptIds, checkpointId),
          error => this.#logger.warn({ checkpointId, error }, 'Completion not delivered'),
        )
        break
      }
      case 'notify-aborted': {
        const { checkpointId, reason } = action
        this.#logger.info({ checkpointId, reason }, 'Checkpoint aborted')
        this.#tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.notifyCheckpointAborted(attemptIds, checkpointId),
          error => this.#logger.debug({ checkpointId, error }, 'Abortion not delivered'),
        )
        break
      }
      case 'discard':
        this.#checkpointIo?.discard(action.checkpointId)
        break
      case 'discard-job':
        this.#discardJob = true
        break
      case 'set-timer':
        this.#setTimer(action.timer, action.delayMs, () =>
          this.#coordinate({ type: 'timer', timer: action.timer }),
        )
        break
      case 'cancel-timer':
        this.#cancelTimer(action.timer)
        break
      case 'fail-job':
        this.#schedule({ type: 'global-failure', error: action.error })
        break
    }
  }

  /** Tells tasks something, one call for each TaskManager. A lost TaskManager is an event of its own. */
  #tell(
    attemptIds: readonly ExecutionAttemptId[],
    call: (gateway: TaskExecutorGateway, attemptIds: readonly ExecutionAttemptId[]) => Promise<void>,
    failed: (error: SerializedError) => void,
  ): void {
    const byTaskManager = Map.groupBy(attemptIds, attemptId => this.#locationOf(attemptId))
    for (const [taskManager, ids] of byTaskManager) {
      const gateway = taskManager === undefined ? undefined : this.#taskManagers.gateway(taskManager)
      if (gateway === undefined) continue
      call(gateway, ids).catch((error: unknown) => {
        // After a loss there is nobody left to tell, and the failover has begun.
        if (this.#taskManagers.gateway(taskManager!) === gateway) failed(serializeError(error))
      })
    }
  }

  // Ends

  async #finish(): Promise<void> {
    const { status } = this.#scheduler
    const cleanUp = this.#discardJob ? this.#checkpointIo?.discardJob() : this.#checkpointIo?.drain()
    await this.#bounded(Promise.all([cleanUp, ...this.#farewells]))
    this.#resourceManager.close(`job ${status.toLowerCase()}`)
    this.#deps.rpc.withdraw(this.endpointName)
    if (this.#result.settled) return
    const result = this.#describeResult(status)
    this.#result.resolve(result)
    this.#deps.onTerminal?.(result)
  }

  #describeResult(status: JobStatus): JobResult {
    const { graph } = this.#job
    if (status !== 'FINISHED') {
      const error = this.#scheduler.rootCause
      return { status: status === 'CANCELED' ? 'CANCELED' : 'FAILED', jobId: this.#jobId, error }
    }
    const { timestamps, executionGraph } = this.#scheduler
    const executions = [...executionGraph.executions()]
    return {
      status,
      result: {
        jobId: this.#jobId,
        jobName: graph.name,
        netRuntimeMs: (timestamps.FINISHED ?? 0) - (timestamps.INITIALIZING ?? 0),
        accumulators: mergeAccumulators(executions.map(execution => execution.accumulators)),
      },
    }
  }

  /** Waits for `work`, but not for ever: a storage that hangs must not hide how the job ended. */
  async #bounded(work: Promise<unknown>): Promise<void> {
    let timer: Timer | undefined
    const timeout = new Promise<void>(resolve => {
      timer = this.#deps.clock.schedule(CLEANUP_TIMEOUT_MS, () => {
        this.#logger.warn({ timeoutMs: CLEANUP_TIMEOUT_MS }, 'Clean-up goes on in the background')
        resolve()
      })
    })
    await Promise.race([work, timeout])
    timer?.cancel()
  }

  #locationOf(attemptId: ExecutionAttemptId): ResourceId | undefined {
    return this.#scheduler.executionGraph.byAttempt(attemptId)?.location?.taskManager
  }

  #setTimer(name: string, delayMs: number, action: () => void): void {
    this.#cancelTimer(name)
    const timer = this.#deps.clock.schedule(delayMs, () => {
      this.#timers.delete(name)
      action()
    })
    this.#timers.set(name, timer)
  }

  #cancelTimer(name: string): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }
}

async function readSnapshot(storage: CheckpointStorage, path: string): Promise<CheckpointMetadata> {
  try {
    return await storage.readMetadata(path)
  } catch (error) {
    throw RestoreFailed({ path, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}
