import {
  type Clock,
  type Configuration,
  type JobId,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  type ResourceId,
} from '@flink-ts/common'
import {
  type CheckpointStatistics,
  DISPATCHER_ENDPOINT,
  type DispatcherGateway,
  type JobDetails,
  type JobOverview,
  type JobRestart,
  type JobResult,
  type JobSubmission,
  type ProcessInspection,
  RESOURCE_MANAGER_ENDPOINT,
  type ResourceManagerGateway,
  type ResourceOverview,
  resourceManagerGateway,
  type SavepointStatus,
  type SavepointTrigger,
  type TaskInspection,
  type VertexAttempts,
} from '@flink-ts/gateways'
import { cachedBlobKeys, isGloballyTerminal } from '@flink-ts/jobgraph'
import type { RpcEndpoint, RpcService, RpcSession } from '@flink-ts/rpc'
import { STATE_BACKEND, stateBackendProblem } from '@flink-ts/state'
import { DispatcherOptionKeys } from '../dispatcher-options.ts'
import {
  BundleMissing,
  CachedFileMissing,
  DispatcherStopped,
  DuplicateJob,
  InvalidJobGraph,
  JobNotFound,
  JobNotRunning,
  SavepointNotKnown,
} from '../errors.ts'
import { type FinishedJob, FinishedJobStore, finishedJobOf } from '../runner/finished-job-store.ts'
import { JobBlobs } from '../runner/job-blobs.ts'
import type { JobMasterRunner } from '../runner/job-master-runner.ts'
import { RestartableJobs } from '../runner/restartable-jobs.ts'
import { SavepointOperations } from '../savepoints/savepoint-operations.ts'
import { validateJobGraph } from './validate-job-graph.ts'

export interface DispatcherOptions {
  readonly configuration: Configuration
  /** `host:port` of the ResourceManager. */
  readonly resourceManagerAddress: string
  /** Of the term of the leader; made up if absent. */
  readonly leaderSessionId?: LeaderSessionId | undefined
}

/** Where jobs outlive this process. */
export interface DurableJobs {
  /** Resolves when the job will be run, if not by this process then by the next leader. */
  add(submission: JobSubmission): Promise<void>
  /** A job that is over need not be remembered any more. Never rejects. */
  forget(jobId: JobId): Promise<void>
}

/** Jobs that an earlier leader has left. */
export interface RecoveredJobs {
  readonly running: readonly {
    readonly jobId: JobId
    readonly submission: JobSubmission
    readonly start: () => JobMasterRunner
  }[]
  /** `ageMs`: for how long they have been over. */
  readonly finished: readonly {
    readonly jobId: JobId
    readonly job: FinishedJob
    readonly ageMs: number
  }[]
}

export interface DispatcherDependencies {
  readonly rpc: RpcService
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Makes and starts the JobMaster of a job. */
  readonly runnerFactory: (submission: JobSubmission) => JobMasterRunner
  /** Undefined: jobs end with this process. */
  readonly jobs?: DurableJobs | undefined
  /** Whether a bundle is in the blob store. */
  readonly hasBlob: (blobKey: string) => Promise<boolean>
  /** No job that runs or is remembered needs it any more. */
  readonly deleteBlob: (blobKey: string) => Promise<void>
  /** Keeps a job that is over, beyond what is remembered here. Never rejects. Absent: nowhere. */
  readonly archive?: ((job: FinishedJob) => Promise<void>) | undefined
  /** Removes a savepoint by its path or URI. */
  readonly disposeSavepoint: (path: string) => Promise<void>
  /** Rejects if there is no snapshot at that path or URI, saying why. */
  readonly checkSnapshot: (path: string) => Promise<void>
}

/**
 * Endpoint that clients and REST talk to: accepts jobs, runs one JobMaster for each, remembers those that are over.
 * Its state belongs to the main thread of the JobManager process.
 */
export class Dispatcher implements RpcEndpoint, DispatcherGateway {
  readonly endpointName = DISPATCHER_ENDPOINT
  readonly leaderSessionId: LeaderSessionId
  readonly #options: DispatcherOptions
  readonly #deps: DispatcherDependencies
  readonly #logger: Logger
  readonly #runners = new Map<JobId, JobMasterRunner>()
  /** Accepted, but their bundle is still being looked up. */
  readonly #submitting = new Set<JobId>()
  readonly #finished: FinishedJobStore
  readonly #savepoints: SavepointOperations
  /** Of all jobs that run or are remembered. */
  readonly #restartable = new RestartableJobs()
  readonly #blobs: JobBlobs
  #resourceManager: Promise<RpcSession> | undefined
  /** Jobs that are being archived. */
  readonly #archiving = new Set<Promise<void>>()
  #stopped = false

  constructor(options: DispatcherOptions, dependencies: DispatcherDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#logger = dependencies.logger.child({ component: 'dispatcher' })
    this.leaderSessionId = options.leaderSessionId ?? newId(dependencies.random)
    this.#blobs = new JobBlobs(blobKey => {
      dependencies
        .deleteBlob(blobKey)
        .catch((error: unknown) =>
          this.#logger.warn({ blobKey, error }, 'A blob that nobody needs is not removed'),
        )
    })
    this.#finished = new FinishedJobStore({
      capacity: options.configuration.get(DispatcherOptionKeys.maxCapacity),
      expirationMs: options.configuration.get(DispatcherOptionKeys.expirationTime) * 1000,
      onForgotten: jobId => {
        this.#restartable.forget(jobId)
        this.#blobs.forget(jobId)
        // Never rejects. A job that was only suspended is another leader's.
        if (!this.#stopped) void this.#deps.jobs?.forget(jobId)
      },
    })
    const storeDurationMs = options.configuration.get(DispatcherOptionKeys.asyncStoreDuration)
    this.#savepoints = new SavepointOperations({ storeDurationMs }, dependencies)
  }

  /** Goes on with the jobs of an earlier leader: before clients come, who would take them for lost. */
  recover({ running, finished }: RecoveredJobs): void {
    for (const { jobId, job, ageMs } of finished) {
      this.#blobs.finished(jobId, job.result)
      this.#finished.add(jobId, job, this.#now() - ageMs)
      // Its leader may not have come to that.
      this.#archive(job)
    }
    for (const { jobId, submission, start } of running) {
      this.#logger.info({ jobId }, 'Job recovered')
      this.#restartable.remember(submission)
      this.#blobs.submitted(submission)
      const runner = start()
      this.#runners.set(jobId, runner)
      this.#watch(jobId, runner)
    }
  }

  /** Lets clients in. */
  start(): void {
    this.#deps.rpc.serve(this)
  }

  /** Takes no more jobs and suspends those that run: TaskManagers see their sessions end and free the slots. */
  async close(): Promise<void> {
    this.#stopped = true
    this.#deps.rpc.withdraw(this.endpointName)
    await Promise.all([...this.#runners.values()].map(runner => runner.close()))
    await Promise.all(this.#archiving)
    const session = await this.#resourceManager?.catch(() => undefined)
    session?.close('the Dispatcher stops')
  }

  acceptSession(_session: RpcSession): DispatcherGateway {
    return {
      submitJob: submission => this.submitJob(submission),
      listJobs: () => this.listJobs(),
      requestJobDetails: jobId => this.requestJobDetails(jobId),
      requestCheckpoints: jobId => this.requestCheckpoints(jobId),
      requestAttempts: jobId => this.requestAttempts(jobId),
      cancelJob: jobId => this.cancelJob(jobId),
      triggerSavepoint: (jobId, trigger) => this.triggerSavepoint(jobId, trigger),
      triggerCheckpoint: (jobId, triggerId) => this.triggerCheckpoint(jobId, triggerId),
      restartJob: (jobId, restart) => this.restartJob(jobId, restart),
      requestSavepointStatus: (jobId, triggerId) => this.requestSavepointStatus(jobId, triggerId),
      disposeSavepoint: path => this.disposeSavepoint(path),
      requestJobResult: jobId => this.requestJobResult(jobId),
      requestResourceOverview: () => this.requestResourceOverview(),
      inspectTaskManager: (id, inspection) => this.inspectTaskManager(id, inspection),
    }
  }

  async submitJob(submission: JobSubmission): Promise<void> {
    const { graph, program } = submission
    const { jobId } = graph
    const problems = validateJobGraph(graph)
    if (problems.length > 0) throw InvalidJobGraph({ jobId, problems })
    const unusable = stateBackendProblem(
      graph.state?.backend ?? this.#options.configuration.get(STATE_BACKEND),
    )
    if (unusable !== undefined) throw unusable
    this.#refuseDuplicate(jobId)
    // Taken before the first await, so that a repeated call finds it.
    this.#submitting.add(jobId)
    this.#blobs.submitted(submission)
    try {
      if (program.code.type === 'bundle' && !(await this.#deps.hasBlob(program.code.blobKey))) {
        throw BundleMissing({ jobId, blobKey: program.code.blobKey })
      }
      for (const blobKey of cachedBlobKeys(graph.cachedFiles)) {
        if (!(await this.#deps.hasBlob(blobKey))) throw CachedFileMissing({ jobId, blobKey })
      }
      if (this.#stopped) throw DispatcherStopped({ jobId })
      await this.#deps.jobs?.add(submission)
      // The next leader runs it.
      if (this.#stopped) throw DispatcherStopped({ jobId })
      this.#logger.info({ jobId, name: graph.name }, 'Job submitted')
      const runner = this.#deps.runnerFactory(submission)
      this.#runners.set(jobId, runner)
      this.#restartable.remember(submission)
      this.#watch(jobId, runner)
    } finally {
      this.#submitting.delete(jobId)
      // It was refused.
      if (!this.#runners.has(jobId)) this.#blobs.forget(jobId)
    }
  }

  /** Running jobs in order of submission, then finished ones in order of their end. */
  async listJobs(): Promise<readonly JobOverview[]> {
    const running = [...this.#runners.values()].map(runner => runner.overview())
    return [...running, ...this.#finished.list(this.#now()).map(job => overviewOf(job.details))]
  }

  async requestJobDetails(jobId: JobId): Promise<JobDetails> {
    const details = this.#runners.get(jobId)?.details() ?? this.#finished.get(jobId, this.#now())?.details
    if (details === undefined) throw JobNotFound({ jobId })
    return details
  }

  async requestCheckpoints(jobId: JobId): Promise<CheckpointStatistics> {
    const runner = this.#runners.get(jobId)
    const checkpoints = runner?.checkpoints() ?? this.#finished.get(jobId, this.#now())?.checkpoints
    if (checkpoints === undefined) throw JobNotFound({ jobId })
    return checkpoints
  }

  async requestAttempts(jobId: JobId): Promise<readonly VertexAttempts[]> {
    const attempts = this.#runners.get(jobId)?.attempts() ?? this.#finished.get(jobId, this.#now())?.attempts
    if (attempts === undefined) throw JobNotFound({ jobId })
    return attempts
  }

  async cancelJob(jobId: JobId): Promise<void> {
    const runner = this.#runners.get(jobId)
    if (runner !== undefined) return await runner.cancel()
    if (this.#finished.get(jobId, this.#now()) === undefined) throw JobNotFound({ jobId })
  }

  async triggerSavepoint(jobId: JobId, trigger: SavepointTrigger): Promise<string> {
    const { triggerId, directory, stop } = trigger
    return await this.#savepoints.run(jobId, triggerId, async () => {
      const runner = this.#running(jobId)
      if (stop !== 'cancel') return await runner.triggerSavepoint({ directory, stop })
      const location = await runner.triggerSavepoint({ directory, stop: 'no' })
      await runner.cancel()
      return location
    })
  }

  async triggerCheckpoint(jobId: JobId, triggerId: string): Promise<string> {
    return await this.#savepoints.run(
      jobId,
      triggerId,
      async () => await this.#running(jobId).triggerCheckpoint(),
    )
  }

  async restartJob(jobId: JobId, restart: JobRestart): Promise<string> {
    const { hasBlob, checkSnapshot } = this.#deps
    return await this.#savepoints.run(jobId, restart.triggerId, async () => {
      await this.requestJobDetails(jobId)
      const runner = this.#runners.get(jobId)
      this.#logger.info({ jobId, newJobId: restart.newJobId }, 'Job is to be started again')
      return await this.#restartable.restart(jobId, restart, {
        ...{ runner, hasBlob, checkSnapshot },
        submit: submission => this.submitJob(submission),
      })
    })
  }

  async requestSavepointStatus(jobId: JobId, triggerId: string): Promise<SavepointStatus> {
    const status = this.#savepoints.status(jobId, triggerId)
    if (status === undefined) throw SavepointNotKnown({ jobId, triggerId })
    return status
  }

  async disposeSavepoint(path: string): Promise<void> {
    await this.#deps.disposeSavepoint(path)
    this.#logger.info({ path }, 'Savepoint disposed')
  }

  async requestJobResult(jobId: JobId): Promise<JobResult> {
    const runner = this.#runners.get(jobId)
    if (runner !== undefined) return await runner.result()
    const finished = this.#finished.get(jobId, this.#now())
    if (finished === undefined) throw JobNotFound({ jobId })
    return finished.result
  }

  async requestResourceOverview(): Promise<ResourceOverview> {
    return await (await this.#connectResourceManager()).requestResourceOverview()
  }

  async inspectTaskManager(
    resourceId: ResourceId,
    inspection: ProcessInspection | TaskInspection,
  ): Promise<unknown> {
    return await (await this.#connectResourceManager()).inspectTaskManager(resourceId, inspection)
  }

  #running(jobId: JobId): JobMasterRunner {
    const runner = this.#runners.get(jobId)
    if (runner !== undefined) return runner
    const finished = this.#finished.get(jobId, this.#now())
    if (finished === undefined) throw JobNotFound({ jobId })
    throw JobNotRunning({ jobId, name: finished.details.name, status: finished.details.status })
  }

  #refuseDuplicate(jobId: JobId): void {
    if (this.#stopped) throw DispatcherStopped({ jobId })
    const known = this.#runners.get(jobId)?.overview() ?? this.#finished.get(jobId, this.#now())?.details
    if (known !== undefined) throw DuplicateJob({ jobId, name: known.name, status: known.status })
    if (this.#submitting.has(jobId)) throw DuplicateJob({ jobId, name: jobId, status: 'INITIALIZING' })
  }

  #watch(jobId: JobId, runner: JobMasterRunner): void {
    // Never rejects, by contract of the runner.
    void runner.result().then(result => {
      const job = finishedJobOf(runner, result)
      const { name, status } = job.details
      this.#blobs.finished(jobId, result)
      this.#finished.add(jobId, job, this.#now())
      this.#archive(job)
      this.#runners.delete(jobId)
      this.#logger.info({ jobId, name, status }, 'Job is over')
    })
  }

  #archive(job: FinishedJob): void {
    // A suspended job goes on elsewhere.
    if (this.#deps.archive === undefined || !isGloballyTerminal(job.details.status)) return
    const archived = this.#deps.archive(job).finally(() => this.#archiving.delete(archived))
    this.#archiving.add(archived)
  }

  async #connectResourceManager(): Promise<ResourceManagerGateway> {
    const { rpc } = this.#deps
    this.#resourceManager ??= rpc.connect(this.#options.resourceManagerAddress, RESOURCE_MANAGER_ENDPOINT, {
      name: DISPATCHER_ENDPOINT,
      handlers: () => ({}),
    })
    const connecting = this.#resourceManager
    try {
      const session = await connecting
      if (!session.lost) return session.gateway(resourceManagerGateway)
    } catch (error) {
      if (this.#resourceManager === connecting) this.#resourceManager = undefined
      throw error
    }
    // Lost since the last request: the next connection is a new one.
    if (this.#resourceManager === connecting) this.#resourceManager = undefined
    return await this.#connectResourceManager()
  }

  #now(): number {
    return this.#deps.clock.monotonicMs()
  }
}

function overviewOf(details: JobDetails): JobOverview {
  const { jobId, name, status, startTime, endTime, lastModification, tasks } = details
  return { jobId, name, status, startTime, endTime, lastModification, tasks }
}
