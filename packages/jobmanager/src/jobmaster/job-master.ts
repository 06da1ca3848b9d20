import { pathToFileURL } from 'node:url'
import {
  CHECKPOINTS_DIRECTORY,
  Deferred,
  type LeaderSessionId,
  type Logger,
  newId,
  type ResourceId,
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
  jobMasterEndpointName,
  type SavepointRequestOptions,
  type VertexAttempts,
} from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import type { RpcEndpoint, RpcSession } from '@flink-ts/rpc'
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import { JobCoordinators } from '../coordination/job-coordinators.ts'
import { JobIsOver, JobSuspended } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { isDeployed } from '../execution-graph/execution-state.ts'
import { JobManagerOptionKeys } from '../jobmanager-options.ts'
import { createScheduler } from '../scheduler/create-scheduler.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import { bounded } from './bounded.ts'
import { CheckpointActions } from './checkpoint-actions.ts'
import { CheckpointIo } from './checkpoint-io.ts'
import { describeAttempts, describeJob, describeOverview } from './job-details.ts'
import { JobEvents } from './job-events.ts'
import type { JobMasterDependencies, JobMasterOptions } from './job-master-ports.ts'
import { describeResult } from './job-result.ts'
import { prepareStart } from './job-start.ts'
import { JobTimers } from './job-timers.ts'
import { ProgressRecorder } from './progress-recorder.ts'
import { type RecordedEnd, recordedEnd } from './recorded-end.ts'
import { recoverPatiently } from './recovery-retry.ts'
import { ResourceManagerConnection } from './resource-manager-connection.ts'
import { SavepointCalls } from './savepoint-calls.ts'
import { SchedulerActions } from './scheduler-actions.ts'
import { TaskCalls } from './task-calls.ts'
import { TaskManagerRegistry } from './task-manager-registry.ts'
import { serveTaskManager } from './task-manager-session.ts'

/** How long the end of a job waits for storage and TaskManagers to be cleaned up. */
const CLEANUP_TIMEOUT_MS = 10_000
/** After which a TaskManager that drains is tried again. */
const DRAIN_RETRY_MS = 500

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
  readonly #events: JobEvents
  readonly #maxHistory: number
  readonly #recoveredProgress: JobMasterOptions['progress']
  /** Undefined: the job does not outlive this process. */
  readonly #progress: ProgressRecorder | undefined
  #end: RecordedEnd | undefined
  /** `close` was called. */
  readonly #closing = new Deferred<void>()
  #checkpointIo: CheckpointIo | undefined

  constructor(options: JobMasterOptions, dependencies: JobMasterDependencies) {
    const { graph, program } = options.submission
    const { configuration, blobAddress } = options
    this.#deps = dependencies
    this.#logger = dependencies.logger.child({ component: 'jobmanager', jobId: graph.jobId })
    this.endpointName = jobMasterEndpointName(graph.jobId)
    this.leaderSessionId = newId(dependencies.random)
    const configured = folderUri(configuration.get(CHECKPOINTS_DIRECTORY))
    const checkpointDirectory = graph.checkpointing.directory ?? (configured === '' ? undefined : configured)
    this.#job = { jobId: graph.jobId, graph, program, blobAddress, checkpointDirectory }
    this.#maxHistory = configuration.get(JobManagerOptionKeys.checkpointHistorySize)
    this.#recoveredProgress = options.progress
    const { clock } = dependencies
    const coordinator = new CheckpointCoordinator({
      graph,
      restored: undefined,
      maxHistory: this.#maxHistory,
    })
    const startedAt = options.progress?.startedAt ?? clock.now()
    this.#scheduler = createScheduler(graph, configuration, dependencies, startedAt)
    this.#events = new JobEvents(this.#scheduler, coordinator, { clock, logger: this.#logger })
    const schedule = (event: SchedulerEvent): void => this.#events.schedule(event)
    const coordinate = (event: CoordinatorEvent): void => this.#events.coordinate(event)
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
      counts: () => this.#events.coordinator.counts,
      schedule,
      coordinate,
      answered: answer => this.#savepoints.answered(answer),
    })
    this.#savepointDirectory = folderUri(configuration.get(JobManagerOptionKeys.savepointDirectory))
    this.#savepoints = new SavepointCalls(
      {
        jobId: graph.jobId,
        defaultDirectory: this.#savepointDirectory,
        isBatch: graph.jobType === 'BATCH',
      },
      { storage: dependencies.savepoints, random: dependencies.random, logger: this.#logger, coordinate },
    )
    const { resourceManagerAddress } = options
    this.#resourceManager = new ResourceManagerConnection(
      { jobId: graph.jobId, resourceManagerAddress, endpointName: this.endpointName },
      {
        rpc: dependencies.rpc,
        clock,
        logger: this.#logger,
        handlers: {
          notifyNotEnoughResources: async ({ required, available }) =>
            this.#logger.warn({ required, available }, 'Waiting for slots'),
        },
      },
    )
    const { recording } = dependencies
    this.#progress =
      recording &&
      new ProgressRecorder({
        recorder: recording.recorder,
        startedAt,
        content: stored => this.#events.coordinator.content(stored),
        clock,
        logger: this.#logger,
      })
    this.#schedulerActions = new SchedulerActions({
      ...tasksPort,
      tasks: this.#tasks,
      timers: this.#timers,
      resourceManager: this.#resourceManager,
      coordinate,
      deploy: (epoch, executions) => this.#deploy(epoch, executions),
      jobOver: () => this.#jobOver(),
      endRecorded: () => this.#recordEnd(),
      terminated: () => this.#terminated(),
    })
    this.#events.connect({
      perform: action => this.#schedulerActions.perform(action),
      performCheckpoint: action => this.#checkpointActions.perform(action),
      globalFailure: () => this.#coordinators.forget(),
    })
  }

  /** Lets TaskManagers in and starts the job. */
  start(): void {
    this.#deps.rpc.serve(this)
    this.#logger.info({ name: this.#job.graph.name }, 'Job accepted')
    this.#coordinators.prepare()
    const { clock } = this.#deps
    const patience = { clock, logger: this.#logger, closing: this.#closing }
    const initialize = (): Promise<void> => this.#initialize()
    const initialized =
      this.#recoveredProgress === undefined ? initialize() : recoverPatiently(initialize, patience)
    initialized.then(
      () => this.#events.schedule({ type: 'initialized' }),
      (error: unknown) =>
        this.#events.schedule({ type: 'initialization-failed', error: serializeError(error) }),
    )
  }

  overview(): JobOverview {
    return describeOverview(this.#scheduler)
  }

  details(): JobDetails {
    return describeJob(this.#scheduler, this.#events.coordinator.counts)
  }

  attempts(): readonly VertexAttempts[] {
    return describeAttempts(this.#scheduler)
  }

  checkpoints(): CheckpointStatistics {
    return this.#events.coordinator.statistics(this.#deps.clock.now())
  }

  /** Idempotent; does not wait for the end. */
  async cancel(): Promise<void> {
    this.#events.schedule({ type: 'cancel-requested' })
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
    this.#events.schedule({ type: 'suspended' })
    this.#timers.cancelAll()
    this.#resourceManager.close('the JobManager stops')
    this.#deps.rpc.withdraw(this.endpointName)
    if (isGloballyTerminal(this.#scheduler.status)) {
      // It ended by itself and cleans up, in bounded time: that is its result.
      if (this.#progress !== undefined) await this.#bounded(this.#recordEnd() as Promise<boolean>)
      this.#progress?.stop()
      this.#closing.resolve()
      await this.#result.promise
      return
    }
    this.#closing.resolve()
    if (this.#result.settled) return
    this.#events.coordinate({ type: 'job-over', status: 'SUSPENDED' })
    await this.#bounded(Promise.all([this.#checkpointIo?.drain(), this.#coordinators.close()]))
    this.#suspended()
  }

  #suspended(): void {
    if (this.#result.settled) return
    const error = serializeError(JobSuspended({ jobId: this.#job.jobId }))
    this.#result.resolve({ status: 'FAILED', jobId: this.#job.jobId, error })
  }

  acceptSession(session: RpcSession): JobMasterGateway {
    const { status } = this.#scheduler
    if (isGloballyTerminal(status)) throw JobIsOver({ jobId: this.#job.jobId, status })
    return serveTaskManager(session, {
      logger: this.#logger,
      taskManagers: this.#taskManagers,
      executionGraph: this.#scheduler.executionGraph,
      isOver: () => isGloballyTerminal(this.#scheduler.status),
      schedule: event => this.#events.schedule(event),
      coordinate: event => this.#events.coordinate(event),
      operatorEvent: event => this.#coordinators.fromTask(event),
      draining: taskManager => this.#leave(taskManager),
      offer: (taskManager, offers) => {
        this.#events.schedule({ type: 'slots-offered', taskManager, offers })
        return this.#schedulerActions.acceptedSlots
      },
    })
  }

  /**
   * Has the tasks of a TaskManager that will end started elsewhere, from a checkpoint taken now; again and again while
   * none can be taken, as during a restart, until the TaskManager is gone. Never rejects.
   */
  async #leave(taskManager: ResourceId): Promise<void> {
    this.#events.schedule({ type: 'task-manager-leaving', taskManager })
    if (this.#job.graph.checkpointing.intervalMs === undefined) return
    for (let attempt = 1; this.#runsOn(taskManager); attempt++) {
      try {
        const checkpointId = await this.#savepoints.triggerCheckpoint()
        this.#logger.info({ taskManager, checkpointId }, 'TaskManager drains: its tasks move')
        this.#events.schedule({ type: 'task-manager-draining', taskManager })
        return
      } catch (error) {
        if (attempt === 1) {
          const text = 'TaskManager drains, and no checkpoint was taken yet: its tasks stay until one is'
          this.#logger.warn({ taskManager, error }, text)
        }
      }
      if (!this.#runsOn(taskManager)) return
      await new Promise<void>(resolve => this.#deps.clock.schedule(DRAIN_RETRY_MS, resolve))
    }
  }

  /** Whether the job goes on and has tasks on that TaskManager, which is still there. */
  #runsOn(taskManager: ResourceId): boolean {
    if (this.#result.settled || isGloballyTerminal(this.#scheduler.status)) return false
    if (this.#taskManagers.gateway(taskManager) === undefined) return false
    return [...this.#scheduler.executionGraph.executions()].some(
      ({ state, location }) => isDeployed(state) && location?.taskManager === taskManager,
    )
  }

  // Start

  async #initialize(): Promise<void> {
    const { graph } = this.#job
    const { storage, restored, recovered } = await prepareStart(
      this.#job,
      this.#recoveredProgress,
      this.#savepointDirectory,
      { ...this.#deps, logger: this.#logger },
    )
    const storages = { checkpoints: storage, savepoints: this.#deps.savepoints }
    const coordinate = (event: CoordinatorEvent): void => this.#events.coordinate(event)
    const io = new CheckpointIo(storages, this.#logger, coordinate, this.#progress)
    this.#checkpointIo = io
    if (restored !== undefined || recovered !== undefined) {
      const maxHistory = this.#maxHistory
      this.#events.startFrom(new CheckpointCoordinator({ graph, restored, recovered, maxHistory }))
    }
    if (this.#progress === undefined) return
    // The former JobMaster may not have come to it, and this one may not either.
    const left = recovered?.discarded ?? []
    for (const folder of left) this.#progress.toGo(folder)
    await this.#progress.begin(this.#events.coordinator.nextId)
    for (const folder of left) io.discard(folder)
    for (const folder of this.#events.coordinator.abandonedFolders) io.discardAbandoned(folder)
  }

  #jobOver(): JobOver | undefined {
    const { status } = this.#scheduler
    if (!isGloballyTerminal(status)) return undefined
    return { retainedCheckpointId: this.#events.coordinator.retainedCheckpointId(status) ?? null }
  }

  #deploy(epoch: number, executions: readonly Execution[]): void {
    const restored = this.#events.coordinator.restorePoint
    const plan = this.#tasks.plan(epoch, executions, restored)
    if (plan === undefined) return
    this.#logger.info(
      { epoch, tasks: executions.length, checkpointId: restored?.checkpointId },
      'Tasks are being deployed',
    )
    this.#events.coordinate({ type: 'tasks-deployed', tasks: executions })
    this.#coordinators.deploy(executions, restored)
    for (const slot of plan) this.#tasks.submit(slot)
  }

  // Ends

  /** Begins to record how the job ended; undefined: nothing is recorded. */
  #recordEnd(): Promise<boolean> | undefined {
    return this.#progress?.over(() => {
      const { recording, clock } = this.#deps
      const { status } = this.#scheduler
      const result = describeResult(this.#scheduler)
      const end = recordedEnd({
        result,
        outcome: recording?.outcome(this, result),
        endedAt: clock.now(),
        directory: this.#checkpointIo === undefined ? undefined : this.#job.checkpointDirectory,
        folders: this.#events.coordinator.leftovers(status),
      })
      this.#end = end
      return end
    })
  }

  #terminated(): void {
    // First: what is done for the end must not be done if it does not count.
    void this.#recordEnd() // Never rejects.
    this.#events.coordinate({ type: 'job-over', status: this.#scheduler.status })
    this.#events.afterwards(() => {
      // Handles its own errors; the result tells when it is done.
      void this.#finish()
    })
  }

  async #finish(): Promise<void> {
    if ((await this.#recordEnd()) === false) {
      // Another leader goes on with the job: nobody hears of this end.
      await this.#closing.promise
      await this.#bounded(this.#coordinators.close())
      this.#suspended()
      return
    }
    const { status } = this.#scheduler
    const cleanUp = this.#checkpointActions.discardJob
      ? this.#checkpointIo?.discardJob()
      : this.#checkpointIo?.drain()
    const farewells = [this.#coordinators.close(), this.#schedulerActions.farewells()]
    await this.#bounded(Promise.all([cleanUp, ...farewells]))
    if (this.#end?.leftovers !== undefined) await this.#bounded(this.#progress!.cleaned(this.#end))
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

/** A folder of the cluster's configuration: plain paths are those of this host. */
function folderUri(configured: string): string {
  return configured.startsWith('/') ? pathToFileURL(configured).href : configured
}
