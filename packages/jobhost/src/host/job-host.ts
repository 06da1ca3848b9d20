import { type Clock, type JobId, type Logger, type LoggerOptions, serializeError } from '@flink-ts/common'
import {
  type CoordinatorReport,
  type CoordinatorsDeployment,
  type CoordinatorsRun,
  JOB_HOSTS_ENDPOINT,
  type JobHostGateway,
  type JobHostsGateway,
  jobHostsGateway,
} from '@flink-ts/gateways'
import type { RpcClient, RpcSession } from '@flink-ts/rpc'
import type { CoordinatorThreadFactory } from './coordinator-thread.ts'
import { HostedJob } from './hosted-job.ts'
import { JobBundles } from './job-bundles.ts'

/** How long a run waits for the end of the former one of its job, whose thread may be in a call that cannot be ended. */
const FORMER_RUN_TIMEOUT_MS = 5000

export interface JobHostOptions {
  /** Of the JobManager that started this host. */
  readonly jobManagerAddress: string
  /** What the JobManager gave to it. */
  readonly token: string
  readonly pid: number
  /** For bundles: of this host alone. */
  readonly folder: string
  readonly threadLogger: LoggerOptions
}

export interface JobHostDependencies {
  readonly rpc: RpcClient
  readonly clock: Clock
  readonly logger: Logger
  readonly threads: CoordinatorThreadFactory
  /** The JobManager is gone: there is nothing left to do here. */
  readonly onLost: (reason: string) => void
}

/**
 * Runs the coordinators of jobs, each job in a thread of its own, and passes on what they and the JobMasters say.
 * Main thread of the job host; no user code here.
 */
export class JobHost {
  readonly #options: JobHostOptions
  readonly #ports: JobHostDependencies
  readonly #bundles: JobBundles
  readonly #jobs = new Map<JobId, HostedJob>()
  /** Runs that are being stopped: the next one of their job waits for it. */
  readonly #stopping = new Map<JobId, Promise<void>>()
  #session: RpcSession | undefined
  #gateway: JobHostsGateway | undefined
  #closed = false

  constructor(options: JobHostOptions, dependencies: JobHostDependencies) {
    this.#options = options
    this.#ports = dependencies
    this.#bundles = new JobBundles(options, { blobs: () => dependencies.rpc.blobs })
  }

  /** Connects and registers. Rejects if the JobManager cannot be reached or does not know this host. */
  async start(): Promise<void> {
    const { jobManagerAddress, token, pid } = this.#options
    // Some job waits for this host.
    this.#ports.threads.prepare()
    const session = await this.#ports.rpc.connect(jobManagerAddress, JOB_HOSTS_ENDPOINT, {
      name: 'job-host',
      handlers: () => this.#handlers(),
    })
    this.#session = session
    session.onLost(cause => {
      if (!this.#closed) this.#ports.onLost(cause.message)
    })
    this.#gateway = session.gateway(jobHostsGateway)
    await this.#gateway.registerJobHost({ token, pid })
  }

  /** Ends all threads and the session. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#jobs.keys()].map(jobId => this.#stop(jobId)))
    await Promise.all(this.#stopping.values())
    await this.#ports.threads.close()
    this.#session?.close('the job host ends')
  }

  #handlers(): JobHostGateway {
    return {
      startCoordinators: async deployment => this.#start(deployment),
      tellCoordinators: async (run, command) => this.#current(run)?.tell(command),
      stopCoordinators: async run => {
        if (this.#current(run) !== undefined) await this.#stop(run.jobId)
      },
    }
  }

  #start(deployment: CoordinatorsDeployment): void {
    const { jobId, run, job } = deployment
    const { clock, logger, threads } = this.#ports
    // Never rejects.
    void this.#stop(jobId)
    const freed = this.#freed(jobId)
    const hosted = new HostedJob(
      { deployment, threadLogger: this.#options.threadLogger },
      { clock, logger, threads, report: report => this.#report({ jobId, run }, report) },
    )
    this.#jobs.set(jobId, hosted)
    logger.info({ jobId, run, name: job.graph.name }, 'Coordinators are being started')
    const code = this.#bundles.moduleUrl(job, this.#options.jobManagerAddress)
    Promise.all([code, freed]).then(
      ([url]) => hosted.run(url),
      (error: unknown) => hosted.fail(error),
    )
  }

  /** Ends the current run of a job, if there is one. Never rejects. */
  async #stop(jobId: JobId): Promise<void> {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return
    this.#jobs.delete(jobId)
    const stopped = Promise.all([this.#stopping.get(jobId), job.stop()]).then(() => {
      if (this.#stopping.get(jobId) === stopped) this.#stopping.delete(jobId)
      // A next run has taken it already. Never rejects.
      if (!this.#jobs.has(jobId)) void this.#bundles.release(jobId)
    })
    this.#stopping.set(jobId, stopped)
    await stopped
  }

  /** What the former run holds, such as a port, is free for the next. Never rejects. */
  async #freed(jobId: JobId): Promise<void> {
    const stopped = this.#stopping.get(jobId)
    if (stopped === undefined) return
    const late = Promise.withResolvers<void>()
    const timer = this.#ports.clock.schedule(FORMER_RUN_TIMEOUT_MS, () => {
      this.#ports.logger.warn(
        { jobId, timeoutMs: FORMER_RUN_TIMEOUT_MS },
        'Coordinators do not end; the next run starts beside them',
      )
      late.resolve()
    })
    await Promise.race([stopped, late.promise])
    timer.cancel()
  }

  #current({ jobId, run }: CoordinatorsRun): HostedJob | undefined {
    const job = this.#jobs.get(jobId)
    return job?.deployment.run === run ? job : undefined
  }

  #report(run: CoordinatorsRun, report: CoordinatorReport): void {
    // Now that this job has what it needs.
    if (report.type === 'started' || report.type === 'failed') this.#ports.threads.prepare()
    // Nothing more comes of it. Never rejects.
    if (report.type === 'failed' && this.#current(run) !== undefined) void this.#stop(run.jobId)
    this.#gateway?.reportOfCoordinators(run, report).catch((error: unknown) => {
      // After the loss of the session there is nobody to tell, and nothing left to do.
      if (this.#closed || this.#session?.lost === true) return
      this.#ports.logger.warn({ ...run, report: report.type, error }, 'Report to the JobManager failed')
      // What it said is not known there: a state or an event that is too large.
      const reason = serializeError(error)
      if (report.type === 'snapshot') {
        this.#report(run, { type: 'snapshot-failed', checkpointId: report.checkpointId, reason })
      } else if (report.type !== 'failed') {
        this.#current(run)?.fail(error)
      }
    })
  }
}
