import {
  type Clock,
  type JobId,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  serializeError,
  type Timer,
} from '@flink-ts/common'
import {
  type CoordinatorReport,
  type CoordinatorsDeployment,
  type CoordinatorsRun,
  JOB_HOSTS_ENDPOINT,
  type JobHostGateway,
  type JobHostsGateway,
  jobHostGateway,
} from '@flink-ts/gateways'
import type { RpcEndpoint, RpcService, RpcSession } from '@flink-ts/rpc'
import { JobHostLost, UnknownJobHost } from '../errors.ts'
import type { CoordinatorsHandle, CoordinatorsListener, JobHosts } from './job-hosts.ts'

/** A job host that was started: a process, or an object of this one. */
export interface LaunchedJobHost {
  /** Settles with the reason when it is gone, however that came. Never rejects. */
  readonly ended: Promise<string>
  /** Ends it; resolves when it is gone. Idempotent, never rejects. */
  stop(): Promise<void>
}

/** Starts job hosts, which then register with the token at the endpoint `job-hosts`. */
export interface JobHostLauncher {
  launch(token: string): LaunchedJobHost
}

export interface JobHostPoolOptions {
  /** How long a job host is kept when no job needs it. */
  readonly idleTimeoutMs: number
  /** How long a job host may take from its start until it registers. */
  readonly startTimeoutMs: number
}

export interface JobHostPoolDependencies {
  readonly rpc: RpcService
  readonly launcher: JobHostLauncher
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

interface Host {
  readonly token: string
  readonly launched: LaunchedJobHost
  readonly startTimer: Timer
  session: RpcSession | undefined
  gateway: JobHostGateway | undefined
  /** Calls until it has registered. */
  waiting: ((gateway: JobHostGateway) => void)[]
}

interface Run {
  readonly run: number
  readonly listener: CoordinatorsListener
  readonly host: Host
}

/**
 * The job host of a JobManager: started when the first job needs it, ended when it has been idle for a while. When it
 * is gone, all jobs with coordinators in it are told, and the next run starts another. Owner: main thread of the
 * JobManager.
 */
export class JobHostPool implements JobHosts, RpcEndpoint {
  readonly endpointName = JOB_HOSTS_ENDPOINT
  readonly leaderSessionId: LeaderSessionId
  readonly #options: JobHostPoolOptions
  readonly #ports: JobHostPoolDependencies
  readonly #logger: Logger
  readonly #reserved = new Set<JobId>()
  readonly #runs = new Map<JobId, Run>()
  #host: Host | undefined
  #idleTimer: Timer | undefined
  readonly #ending = new Set<Promise<void>>()
  #closed = false

  constructor(options: JobHostPoolOptions, dependencies: JobHostPoolDependencies) {
    this.#options = options
    this.#ports = dependencies
    this.#logger = dependencies.logger.child({ component: 'jobmanager' })
    this.leaderSessionId = newId(dependencies.random)
  }

  /** Lets job hosts in. */
  serve(): void {
    this.#ports.rpc.serve(this)
  }

  reserve(jobId: JobId): void {
    if (this.#closed) return
    this.#reserved.add(jobId)
    this.#idleTimer?.cancel()
    this.#ensureHost()
  }

  release(jobId: JobId): void {
    if (!this.#reserved.delete(jobId) || this.#reserved.size > 0 || this.#closed) return
    const { idleTimeoutMs } = this.#options
    this.#idleTimer = this.#ports.clock.schedule(
      idleTimeoutMs,
      () => {
        const host = this.#host
        if (host === undefined || this.#reserved.size > 0) return
        this.#logger.info({ idleTimeoutMs }, 'Job host is not needed any more')
        this.#endHost(host)
      },
      { unref: true },
    )
  }

  start(deployment: CoordinatorsDeployment, listener: CoordinatorsListener): CoordinatorsHandle {
    if (this.#closed) return startedTooLate(listener)
    const { jobId, run: number } = deployment
    const host = this.#ensureHost()
    const run: Run = { run: number, listener, host }
    this.#runs.set(jobId, run)
    const id: CoordinatorsRun = { jobId, run: number }
    const isCurrent = (): boolean => this.#runs.get(jobId) === run
    const call = (what: (gateway: JobHostGateway) => Promise<void>): void => {
      const attempt = (gateway: JobHostGateway): void => {
        if (!isCurrent()) return
        what(gateway).catch((error: unknown) => {
          // After the loss of the host its jobs have been told already.
          if (!isCurrent()) return
          this.#runs.delete(jobId)
          gateway.stopCoordinators(id).catch((failure: unknown) => {
            this.#logger.debug({ ...id, error: failure }, 'Coordinators not stopped: the job host is gone')
          })
          listener.lost(serializeError(error))
        })
      }
      if (host.gateway === undefined) host.waiting.push(attempt)
      else attempt(host.gateway)
    }
    call(gateway => gateway.startCoordinators(deployment))
    return {
      tell: command => {
        call(gateway => gateway.tellCoordinators(id, command))
      },
      stop: async () => {
        if (!isCurrent()) return
        this.#runs.delete(jobId)
        try {
          await host.gateway?.stopCoordinators(id)
        } catch (error) {
          this.#logger.debug({ ...id, error }, 'Coordinators not stopped: the job host is gone')
        }
      },
    }
  }

  /** Ends the job host; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closed = true
    this.#idleTimer?.cancel()
    this.#ports.rpc.withdraw(this.endpointName)
    this.#runs.clear()
    if (this.#host !== undefined) this.#endHost(this.#host)
    await Promise.all(this.#ending)
  }

  acceptSession(session: RpcSession): JobHostsGateway {
    let host: Host | undefined
    return {
      registerJobHost: async ({ token, pid }) => {
        const expected = this.#host
        if (expected === undefined || expected.token !== token || expected.session !== undefined) {
          throw UnknownJobHost({ pid })
        }
        host = expected
        this.#registered(expected, session)
        this.#logger.info({ pid }, 'Job host is ready')
      },
      reportOfCoordinators: async (id, report) => {
        if (host !== undefined) this.#onReport(host, id, report)
      },
    }
  }

  #ensureHost(): Host {
    if (this.#host !== undefined) return this.#host
    const token = newId<string>(this.#ports.random)
    const { startTimeoutMs } = this.#options
    this.#logger.info({}, 'Job host is being started')
    const host: Host = {
      token,
      launched: this.#ports.launcher.launch(token),
      startTimer: this.#ports.clock.schedule(startTimeoutMs, () =>
        this.#lost(host, `it did not register within ${startTimeoutMs} ms`),
      ),
      session: undefined,
      gateway: undefined,
      waiting: [],
    }
    this.#host = host
    // Never rejects.
    void host.launched.ended.then(reason => this.#lost(host, reason))
    return host
  }

  #registered(host: Host, session: RpcSession): void {
    host.startTimer.cancel()
    host.session = session
    const gateway = session.gateway(jobHostGateway)
    host.gateway = gateway
    session.onLost(cause => this.#lost(host, cause.message))
    for (const call of host.waiting.splice(0)) call(gateway)
  }

  #onReport(host: Host, { jobId, run }: CoordinatorsRun, report: CoordinatorReport): void {
    const current = this.#runs.get(jobId)
    if (current === undefined || current.run !== run || current.host !== host) return
    if (report.type === 'failed') this.#runs.delete(jobId)
    current.listener.report(report)
  }

  #lost(host: Host, reason: string): void {
    if (this.#host !== host) return
    this.#endHost(host)
    const error = serializeError(JobHostLost({ reason }))
    const runs = [...this.#runs].filter(([, run]) => run.host === host)
    if (runs.length === 0) this.#logger.info({ reason }, 'Job host is gone')
    else this.#logger.warn({ reason, jobs: runs.length }, 'Job host is lost')
    for (const [jobId] of runs) this.#runs.delete(jobId)
    for (const [, { listener }] of runs) listener.lost(error)
  }

  #endHost(host: Host): void {
    if (this.#host === host) this.#host = undefined
    host.startTimer.cancel()
    host.waiting = []
    host.session?.close('the job host is not needed any more')
    const ended = host.launched.stop()
    this.#ending.add(ended)
    // Never rejects.
    void ended.then(() => this.#ending.delete(ended))
  }
}

/** No host is started for a JobManager that stops: its jobs are told as if theirs were lost. */
function startedTooLate(listener: CoordinatorsListener): CoordinatorsHandle {
  let stopped = false
  // Not before its caller has the handle.
  queueMicrotask(() => {
    if (!stopped) listener.lost(serializeError(JobHostLost({ reason: 'the JobManager stops' })))
  })
  return {
    tell: () => {},
    stop: async () => {
      stopped = true
    },
  }
}
