import { pathToFileURL } from 'node:url'
import {
  CHECKPOINTS_DIRECTORY,
  type LeaderSessionId,
  type Logger,
  newId,
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
import { JobIsOver } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { JobManagerOptionKeys } from '../jobmanager-options.ts'
import { createScheduler } from '../scheduler/create-scheduler.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import { CheckpointActions } from './checkpoint-actions.ts'
import { CheckpointIo } from './checkpoint-io.ts'
import { describeAttempts, describeJob, describeOverview } from './job-details.ts'
import { JobEnding } from './job-ending.ts'
import { JobEvents } from './job-events.ts'
import type { JobMasterDependencies, JobMasterOptions } from './job-master-ports.ts'
import { prepareStart } from './job-start.ts'
import { JobTimers } from './job-timers.ts'
import { ProgressRecorder } from './progress-recorder.ts'
import { recoverPatiently } from './recovery-retry.ts'
import { ResourceManagerConnection } from './resource-manager-connection.ts'
import { SavepointCalls } from './savepoint-calls.ts'
import { SchedulerActions } from './scheduler-actions.ts'
import { TaskCalls } from './task-calls.ts'
import { TaskManagerDrains } from './task-manager-drains.ts'
import { TaskManagerRegistry } from './task-manager-registry.ts'
import { serveTaskManager } from './task-manager-session.ts'

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
  readonly #ending: JobEnding
  readonly #drains: TaskManagerDrains
  readonly #events: JobEvents
  readonly #maxHistory: number
  readonly #recoveredProgress: JobMasterOptions['progress']
  /** Undefined: the job does not outlive this process. */
  readonly #progress: ProgressRecorder | undefined
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
      endRecorded: () => this.#ending.record(),
      terminated: () => this.#ending.terminated(),
    })
    this.#ending = new JobEnding(this.#job, {
      ...{ clock, logger: this.#logger, scheduler: this.#scheduler, events: this.#events },
      checkpointActions: this.#checkpointActions,
      io: () => this.#checkpointIo,
      progress: this.#progress,
      outcome: result => recording?.outcome(this, result),
      closeCoordinators: () => this.#coordinators.close(),
      farewells: () => this.#schedulerActions.farewells(),
      disconnect: reason => this.#disconnect(reason),
      onTerminal: dependencies.onTerminal,
    })
    this.#drains = new TaskManagerDrains(
      { takesCheckpoints: graph.checkpointing.intervalMs !== undefined },
      {
        ...{ clock, logger: this.#logger, executionGraph, taskManagers: this.#taskManagers, schedule },
        checkpoint: () => this.#savepoints.triggerCheckpoint(),
        isOver: () => this.#ending.isKnown || isGloballyTerminal(this.#scheduler.status),
      },
    )
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
    const patience = { clock, logger: this.#logger, closing: this.#ending.closing }
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
    return this.#ending.result
  }

  /** Ends all connections. A running job is suspended: its TaskManagers free its slots, its checkpoints stay. */
  async close(): Promise<void> {
    this.#events.schedule({ type: 'suspended' })
    this.#timers.cancelAll()
    this.#disconnect('the JobManager stops')
    await (isGloballyTerminal(this.#scheduler.status) ? this.#ending.closeEnded() : this.#ending.suspend())
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
      draining: taskManager => this.#drains.leave(taskManager),
      offer: (taskManager, offers) => {
        this.#events.schedule({ type: 'slots-offered', taskManager, offers })
        return this.#schedulerActions.acceptedSlots
      },
    })
  }

  #disconnect(reason: string): void {
    this.#resourceManager.close(reason)
    this.#deps.rpc.withdraw(this.endpointName)
  }

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
}

/** A folder of the cluster's configuration: plain paths are those of this host. */
function folderUri(configured: string): string {
  return configured.startsWith('/') ? pathToFileURL(configured).href : configured
}
