import {
  CHECKPOINTS_DIRECTORY,
  type Clock,
  type Configuration,
  Deferred,
  type JobId,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  serializeError,
} from '@flink-ts/common'
import {
  type CheckpointStatistics,
  type JobDetails,
  type JobInformation,
  type JobMasterGateway,
  type JobOver,
  type JobOverview,
  type JobResult,
  type JobSubmission,
  jobMasterEndpointName,
  type SavepointRequestOptions,
} from '@flink-ts/gateways'
import { isGloballyTerminal, type JobStatus } from '@flink-ts/jobgraph'
import type { RpcEndpoint, RpcService, RpcSession } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts'
import { keepsCheckpoints } from '../checkpoint/cleaner.ts'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import { JobCoordinators } from '../coordination/job-coordinators.ts'
import type { JobHosts } from '../coordination/job-hosts.ts'
import { JobIsOver, JobSuspended } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { resolveRestartStrategy } from '../failover/restart-strategy.ts'
import { JobManagerOptionKeys } from '../jobmanager-options.ts'
import { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import { bounded } from './bounded.ts'
import { CheckpointActions } from './checkpoint-actions.ts'
import { CheckpointIo } from './checkpoint-io.ts'
import { EventQueue } from './event-queue.ts'
import { describeJob, describeOverview } from './job-details.ts'
import { describeResult } from './job-result.ts'
import { prepareStart } from './job-start.ts'
import { JobTimers } from './job-timers.ts'
import { ResourceManagerConnection } from './resource-manager-connection.ts'
import { SavepointCalls } from './savepoint-calls.ts'
import { SchedulerActions } from './scheduler-actions.ts'
import { TaskCalls } from './task-calls.ts'
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
  /** Where split enumerators and global committers run. */
  readonly jobHosts: JobHosts
  /** @param directory base URI of the checkpoints of all jobs */
  readonly storageFactory: (directory: string, jobId: JobId) => CheckpointStorage
  readonly savepoints: SavepointStorage
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
  readonly #timers: JobTimers
  readonly #tasks: TaskCalls
  readonly #coordinators: JobCoordinators
  readonly #schedulerActions: SchedulerActions
  readonly #checkpointActions: CheckpointActions
  readonly #savepoints: SavepointCalls
  /** Empty: there is none. */
  readonly #savepointDirectory: string
  readonly #result = new Deferred<JobResult>()
  readonly #queue = new EventQueue()
  readonly #maxHistory: number
  #coordinator: CheckpointCoordinator
  #checkpointIo: CheckpointIo | undefined

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
    this.#maxHistory = configuration.get(JobManagerOptionKeys.checkpointHistorySize)
    this.#coordinator = new CheckpointCoordinator({
      graph,
      restored: undefined,
      maxHistory: this.#maxHistory,
    })
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
    const schedule = (event: SchedulerEvent): void => this.#schedule(event)
    const coordinate = (event: CoordinatorEvent): void => this.#coordinate(event)
    const { executionGraph } = this.#scheduler
    const tasksPort = { logger: this.#logger, taskManagers: this.#taskManagers, executionGraph, schedule }
    this.#tasks = new TaskCalls(this.#job, tasksPort)
    this.#coordinators = new JobCoordinators(this.#job, {
      hosts: dependencies.jobHosts,
      logger: this.#logger,
      execution: attemptId => executionGraph.byAttempt(attemptId),
      taskManagerOf: ({ location }) => location && this.#taskManagers.gateway(location.taskManager),
      coordinate,
      schedule,
    })
    this.#timers = new JobTimers(dependencies)
    this.#checkpointActions = new CheckpointActions({
      logger: this.#logger,
      tasks: this.#tasks,
      coordinators: this.#coordinators,
      timers: this.#timers,
      io: () => this.#checkpointIo,
      counts: () => this.#coordinator.counts,
      schedule,
      coordinate,
      answered: answer => this.#savepoints.answered(answer),
    })
    this.#savepointDirectory = configuration.get(JobManagerOptionKeys.savepointDirectory)
    this.#savepoints = new SavepointCalls(
      { jobId: graph.jobId, defaultDirectory: this.#savepointDirectory },
      { storage: dependencies.savepoints, random: dependencies.random, logger: this.#logger, coordinate },
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
    this.#schedulerActions = new SchedulerActions({
      ...tasksPort,
      tasks: this.#tasks,
      timers: this.#timers,
      resourceManager: this.#resourceManager,
      coordinate,
      deploy: (epoch, executions) => this.#deploy(epoch, executions),
      jobOver: () => this.#jobOver(),
      terminated: () => this.#terminated(),
    })
  }

  /** Lets TaskManagers in and starts the job. */
  start(): void {
    this.#deps.rpc.serve(this)
    this.#logger.info({ name: this.#job.graph.name }, 'Job accepted')
    this.#coordinators.prepare()
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

  checkpoints(): CheckpointStatistics {
    return this.#coordinator.statistics(this.#deps.clock.now())
  }

  /** Idempotent; does not wait for the end. */
  async cancel(): Promise<void> {
    this.#schedule({ type: 'cancel-requested' })
  }

  /** See {@link SavepointCalls.triggerCheckpoint}. */
  triggerCheckpoint(): Promise<string> {
    return this.#savepoints.triggerCheckpoint()
  }

  /** See {@link SavepointCalls.trigger}. */
  triggerSavepoint(options: SavepointRequestOptions): Promise<string> {
    return this.#savepoints.trigger(options)
  }

  /** Settles when the job is over and cleaned up; never rejects. */
  result(): Promise<JobResult> {
    return this.#result.promise
  }

  /** Ends all connections. A running job is suspended: its TaskManagers free its slots, its checkpoints stay. */
  async close(): Promise<void> {
    this.#schedule({ type: 'suspended' })
    this.#timers.cancelAll()
    this.#resourceManager.close('the JobManager stops')
    this.#deps.rpc.withdraw(this.endpointName)
    if (this.#result.settled) return
    if (this.#scheduler.status === 'SUSPENDED') this.#coordinate({ type: 'job-over', status: 'SUSPENDED' })
    await this.#bounded(Promise.all([this.#checkpointIo?.drain(), this.#coordinators.close()]))
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
      operatorEvent: event => this.#coordinators.fromTask(event),
      offer: (taskManager, offers) => {
        this.#schedule({ type: 'slots-offered', taskManager, offers })
        return this.#schedulerActions.acceptedSlots
      },
    })
  }

  // Start

  async #initialize(): Promise<void> {
    const { graph } = this.#job
    const directory = this.#savepointDirectory
    const { storage, restored } = await prepareStart(this.#job, directory, {
      ...this.#deps,
      logger: this.#logger,
    })
    const storages = { checkpoints: storage, savepoints: this.#deps.savepoints }
    this.#checkpointIo = new CheckpointIo(storages, this.#logger, event => this.#coordinate(event))
    if (restored !== undefined)
      this.#coordinator = new CheckpointCoordinator({ graph, restored, maxHistory: this.#maxHistory })
  }

  // Events

  #schedule(event: SchedulerEvent): void {
    this.#queue.add(() => {
      // All tasks start again from a checkpoint, and so do the coordinators.
      if (event.type === 'global-failure') this.#coordinators.forget()
      const before = this.#scheduler.status
      const actions = this.#scheduler.handle(this.#deps.clock.now(), event)
      this.#logStatus(before, this.#scheduler.status)
      for (const action of actions) this.#schedulerActions.perform(action)
    })
  }

  #coordinate(event: CoordinatorEvent): void {
    this.#queue.add(() => {
      const { clock } = this.#deps
      const time = { epochMs: clock.now(), monotonicMs: clock.monotonicMs() }
      for (const action of this.#coordinator.handle(time, event)) this.#checkpointActions.perform(action)
    })
  }

  #logStatus(before: JobStatus, after: JobStatus): void {
    if (before === after) return
    const latest = this.#scheduler.latestError
    const failed = after === 'RESTARTING' || after === 'FAILING' || after === 'FAILED'
    const { restarts } = this.#scheduler
    const fields = { from: before, to: after, restarts, ...(failed ? { error: latest } : {}) }
    this.#logger.info(fields, 'Job changed state')
  }

  #jobOver(): JobOver | undefined {
    const { status } = this.#scheduler
    if (!isGloballyTerminal(status)) return undefined
    const kept = keepsCheckpoints(this.#job.graph.checkpointing.externalizedRetention, status)
    return { retainedCheckpointId: (kept ? this.#coordinator.restorePoint?.checkpointId : undefined) ?? null }
  }

  #deploy(epoch: number, executions: readonly Execution[]): void {
    const restored = this.#coordinator.restorePoint
    const plan = this.#tasks.plan(epoch, executions, restored)
    if (plan === undefined) return
    this.#logger.info(
      { epoch, tasks: executions.length, checkpointId: restored?.checkpointId },
      'Tasks are being deployed',
    )
    this.#coordinate({ type: 'tasks-deployed', tasks: executions })
    this.#coordinators.deploy(executions, restored)
    for (const slot of plan) this.#tasks.submit(slot)
  }

  // Ends

  #terminated(): void {
    this.#coordinate({ type: 'job-over', status: this.#scheduler.status })
    this.#queue.add(() => {
      // Handles its own errors; the result tells when it is done.
      void this.#finish()
    })
  }

  async #finish(): Promise<void> {
    const { status } = this.#scheduler
    const cleanUp = this.#checkpointActions.discardJob
      ? this.#checkpointIo?.discardJob()
      : this.#checkpointIo?.drain()
    const farewells = [this.#coordinators.close(), this.#schedulerActions.farewells()]
    await this.#bounded(Promise.all([cleanUp, ...farewells]))
    this.#resourceManager.close(`job ${status.toLowerCase()}`)
    this.#deps.rpc.withdraw(this.endpointName)
    if (this.#result.settled) return
    const result = describeResult(this.#scheduler)
    this.#result.resolve(result)
    this.#deps.onTerminal?.(result)
  }

  /** Waits for `work`, but not for ever: a storage that hangs must not hide how the job ended. */
  #bounded(work: Promise<unknown>): Promise<void> {
    return bounded(work, CLEANUP_TIMEOUT_MS, this.#deps.clock, () =>
      this.#logger.warn({ timeoutMs: CLEANUP_TIMEOUT_MS }, 'Clean-up goes on in the background'),
    )
  }
}
