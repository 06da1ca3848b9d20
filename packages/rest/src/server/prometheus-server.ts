import { createServer, type Server } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { type Clock, isAuthToken, isLoopback, type Logger } from '@flink-ts/common'
import type { DispatcherGateway, JobDetails, ProcessMonitor, TaskManagerOverview } from '@flink-ts/gateways'
import { PrometheusBindFailed, UnauthenticatedBinding } from '../errors.ts'
import { jobMetrics } from '../routes/job-metrics.ts'
import { type Labels, PrometheusText } from '../routes/prometheus-text.ts'
import { operatorMetrics, taskMetrics } from '../routes/task-metrics.ts'

export interface PrometheusServerOptions {
  readonly bindAddress: string
  /** The first free one is taken. */
  readonly ports: { readonly from: number; readonly to: number }
  readonly allowUnauthenticated: boolean
  /** What requests must show as `Authorization: Bearer`; absent: nothing. */
  readonly authToken?: string | undefined
  /** Label `host` of the JobManager. */
  readonly host: string
}

export interface PrometheusServerDependencies {
  readonly dispatcher: DispatcherGateway
  /** Of this process. */
  readonly monitor: ProcessMonitor
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Metrics of the whole cluster for Prometheus, at one address: what TaskManagers and tasks measure comes here anyway.
 * Collected when they are asked for, with pauses for other work of the thread.
 */
export class PrometheusServer {
  readonly #options: PrometheusServerOptions
  readonly #ports: PrometheusServerDependencies
  readonly #logger: Logger
  readonly #server: Server

  constructor(options: PrometheusServerOptions, dependencies: PrometheusServerDependencies) {
    this.#options = options
    this.#ports = dependencies
    this.#logger = dependencies.logger.child({ component: 'metrics' })
    this.#server = createServer((request, response) => {
      const { authToken } = options
      if (
        authToken !== undefined &&
        !isAuthToken(request.headers.authorization ?? '', `Bearer ${authToken}`)
      ) {
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
        return
      }
      if (request.method !== 'GET') {
        response.writeHead(405, { allow: 'GET' }).end()
        return
      }
      this.#collect().then(
        text => {
          response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          Readable.from(text.parts()).pipe(response)
        },
        (error: unknown) => {
          this.#logger.warn({ error }, 'Metrics could not be collected')
          response.writeHead(503).end()
        },
      )
    })
  }

  /** Listens and answers the port. Throws `rest.unauthenticated-binding` or `rest.prometheus-bind-failed`. */
  async start(): Promise<number> {
    const { bindAddress, ports, authToken, allowUnauthenticated } = this.#options
    if (!isLoopback(bindAddress) && authToken === undefined && !allowUnauthenticated)
      throw UnauthenticatedBinding({ bindAddress })
    let reason = 'no port is given'
    for (let port = ports.from; port <= ports.to; port++) {
      try {
        return await this.#listen(port)
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') break
      }
    }
    throw PrometheusBindFailed({ bindAddress, ports: `${ports.from}-${ports.to}`, reason })
  }

  /** Ends open connections, too. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, this.#options.bindAddress, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  async #collect(): Promise<PrometheusText> {
    const { dispatcher, monitor } = this.#ports
    const text = new PrometheusText()
    const labels = { host: this.#options.host }
    const { taskManagers, totalSlots, freeSlots } = await dispatcher.requestResourceOverview()
    const jobs = (await dispatcher.listJobs()).filter(job => job.endTime < 0)
    addAll(text, 'jobmanager', labels, {
      ...(await monitor.requestMetrics()),
      numRegisteredTaskManagers: taskManagers.length,
      numRunningJobs: jobs.length,
      taskSlotsTotal: totalSlots,
      taskSlotsAvailable: freeSlots,
    })
    await Promise.all(taskManagers.map(taskManager => this.#addTaskManager(text, taskManager)))
    const hosts = new Map(taskManagers.map(({ resourceId, host }) => [resourceId as string, host]))
    for (const { jobId } of jobs) {
      try {
        await this.#addJob(text, await dispatcher.requestJobDetails(jobId), hosts)
      } catch (error) {
        // It is over and forgotten meanwhile.
        this.#logger.debug({ jobId, error }, 'Metrics of a job are left out')
      }
    }
    return text
  }

  async #addTaskManager(text: PrometheusText, { resourceId, host }: TaskManagerOverview): Promise<void> {
    try {
      const metrics = await this.#ports.dispatcher.inspectTaskManager(resourceId, { type: 'metrics' })
      addAll(text, 'taskmanager', { host, tm_id: resourceId }, metrics as Record<string, number>)
    } catch (error) {
      this.#logger.debug({ resourceId, error }, 'Metrics of a TaskManager are left out')
    }
  }

  async #addJob(text: PrometheusText, job: JobDetails, hosts: ReadonlyMap<string, string>): Promise<void> {
    const { dispatcher, clock } = this.#ports
    const ofJob = { job_id: job.jobId, job_name: job.name }
    const checkpoints = await dispatcher.requestCheckpoints(job.jobId)
    addAll(
      text,
      'jobmanager_job',
      { host: this.#options.host, ...ofJob },
      jobMetrics(job, checkpoints, clock.now()),
    )
    for (const { id, name, subtasks } of job.vertices) {
      for (const subtask of subtasks) {
        const tmId = subtask.taskManagerId
        if (tmId === undefined) continue
        const labels = {
          ...{ host: hosts.get(tmId) ?? '', tm_id: tmId, ...ofJob },
          ...{
            task_id: id,
            task_name: name,
            task_attempt_num: subtask.attempt,
            subtask_index: subtask.index,
          },
        }
        addAll(text, 'taskmanager_job_task', labels, taskMetrics(subtask))
        for (const operator of subtask.metrics.operators ?? []) {
          const own = { ...labels, operator_name: operator.name }
          addAll(text, 'taskmanager_job_task_operator', own, operatorMetrics(operator))
        }
      }
      // A job may have thousands of tasks.
      await setImmediate()
    }
  }
}

function addAll(
  text: PrometheusText,
  scope: string,
  labels: Labels,
  metrics: Readonly<Record<string, number | string>>,
): void {
  for (const [name, value] of Object.entries(metrics)) text.add(scope, name, labels, value)
}
