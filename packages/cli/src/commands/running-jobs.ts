import { setTimeout } from 'node:timers/promises'
import type { ClusterClient } from '@flink-ts/client'
import { isFlinkError, type JobId } from '@flink-ts/common'
import type { RestoredRecord } from '@flink-ts/gateways'
import type { JobClient, JobGraph, ReplayableProgram } from '@flink-ts/jobgraph'
import { JobNotSubmitted } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatElapsed, formatError, formatTime } from '../format.ts'
import { followJob } from '../job-progress.ts'
import type { Terminal } from '../terminal.ts'
import type { RunProcess } from './run.ts'
import type { RunConnection } from './run-connection.ts'

/** The jobs that a program has submitted. Owner: the main thread. */
export class RunningJobs {
  count = 0
  readonly #connection: RunConnection
  readonly #detached: boolean
  readonly #cancelAtInterrupt: boolean
  readonly #terminal: Terminal
  readonly #process: RunProcess
  /** Names of jobs that `execute` was called for and the cluster has not accepted yet. */
  readonly #submitting = new Set<{ readonly name: string }>()
  /** Submitted and not over. */
  readonly #open = new Map<string, JobClient>()
  #interrupted = false
  #lastFailed: string | undefined

  constructor(
    connection: RunConnection,
    options: { readonly detached: boolean; readonly cancelAtInterrupt: boolean },
    terminal: Terminal,
    runProcess: RunProcess,
  ) {
    this.#connection = connection
    this.#detached = options.detached
    this.#cancelAtInterrupt = options.cancelAtInterrupt
    this.#terminal = terminal
    this.#process = runProcess
  }

  /** What `execute` of the program does. */
  async submit(bundleFile: string, graph: JobGraph, program: ReplayableProgram): Promise<JobClient> {
    this.count++
    const submitting = { name: graph.name }
    this.#submitting.add(submitting)
    const accepted = (): void => void this.#submitting.delete(submitting)
    try {
      return await this.#submitted(bundleFile, graph, program, accepted)
    } finally {
      accepted()
    }
  }

  async #submitted(
    bundleFile: string,
    graph: JobGraph,
    program: ReplayableProgram,
    accepted: () => void,
  ): Promise<JobClient> {
    const cluster = await this.#connection.acquire()
    try {
      const client = await cluster.submitProgram(bundleFile, graph, program)
      accepted()
      if (this.#detached) await untilBegun(cluster, client)
      const job = this.#attach(cluster, graph, client)
      if (graph.restoreFrom?.path === 'latest') await this.#tellSnapshot(cluster, job)
      if (this.#detached) this.#process.exit(EXIT_CODES.ok)
      return job
    } catch (error) {
      await this.#connection.done()
      throw error
    }
  }

  /**
   * Ctrl-C, or another signal that ends this client.
   * @param exitCode of the process
   */
  interrupt(exitCode: number): void {
    if (this.#cancelAtInterrupt && !this.#interrupted && this.#open.size > 0) {
      this.#interrupted = true
      // Settles with the answers of the cluster, or their absence; a second Ctrl-C does not wait for it.
      void this.#cancelAll(exitCode)
      return
    }
    for (const jobId of this.#open.keys()) {
      const what = this.#interrupted ? 'may still be running: its cancellation was not answered' : 'goes on'
      this.#terminal.complain(`Job ${jobId} ${what}. To cancel it: flink cancel ${jobId}`)
    }
    this.#process.exit(exitCode)
  }

  /** Cancels all jobs and ends the process when that is accepted. */
  async #cancelAll(exitCode: number): Promise<void> {
    for (const [jobId, client] of [...this.#open]) {
      this.#terminal.complain(`Cancelling job ${jobId}, since this client ends (-sae) ...`)
      try {
        await client.cancel()
      } catch (error) {
        this.#terminal.complain(`Job ${jobId} was not cancelled and may go on: ${formatError(error)}`)
      }
    }
    this.#process.exit(exitCode)
  }

  /**
   * The program has ended itself by process.exit(0), which it may have meant for the end of its jobs.
   * @returns whether something was lost by it
   */
  exited(): boolean {
    const names = [...this.#submitting].map(({ name }) => name)
    if (names.length > 0) this.#terminal.complain(JobNotSubmitted({ jobs: names }).message)
    for (const jobId of this.#open.keys()) {
      this.#terminal.complain(
        `Job ${jobId} goes on: the program ended by process.exit before it. To cancel it: flink cancel ${jobId}`,
      )
    }
    return names.length > 0
  }

  explainFailure(): void {
    if (this.#lastFailed !== undefined)
      process.once('exit', () => this.#terminal.complain(this.#lastFailed as string))
  }

  /** What `latest` stood for. Never rejects. */
  async #tellSnapshot(cluster: ClusterClient, job: JobClient): Promise<void> {
    const begun = await untilBegun(cluster, job).then(
      () => true,
      () => false,
    )
    // Why it has not begun is told by its result.
    if (!begun) return
    try {
      const snapshot = await restoredFrom(cluster, job.jobId as JobId)
      if (snapshot === undefined) {
        const where = `GET /jobs/${job.jobId}/checkpoints`
        this.#terminal.complain(`Job ${job.jobId} has no slots yet. From which snapshot it starts: ${where}`)
        return
      }
      const kind = snapshot.savepoint ? 'savepoint' : 'checkpoint'
      this.#terminal.print(
        `Job ${job.jobId} starts from ${snapshot.pointer}: ${kind} ${snapshot.id} of job ${snapshot.jobId}, ` +
          `taken ${formatTime(snapshot.takenAt)}.`,
      )
    } catch (error) {
      this.#terminal.complain(
        `Which snapshot job ${job.jobId} starts from is not known: ${formatError(error)}`,
      )
    }
  }

  #attach(cluster: ClusterClient, graph: JobGraph, client: JobClient): JobClient {
    const { jobId } = client
    this.#terminal.print(`Job has been submitted with JobID ${jobId}`)
    // Code behind execute expects a result, which a detached run does not wait for: the process ends.
    if (this.#detached) return client
    this.#open.set(jobId, client)
    const source = { details: () => cluster.jobDetails(jobId as JobId), resources: () => cluster.overview() }
    const stop = followJob({ jobId, name: graph.name }, source, this.#terminal)
    const result = client.result().then(
      outcome => {
        this.#terminal.print(`Job ${jobId} finished in ${formatElapsed(outcome.netRuntimeMs)}`)
        return outcome
      },
      (error: unknown) => {
        this.#lastFailed = outcomeIsKnown(error) ? `Job ${jobId} (${graph.name}) did not finish.` : undefined
        throw error
      },
    )
    const settled = result.finally(async () => {
      stop()
      this.#open.delete(jobId)
      await this.#connection.done()
    })
    // The failure is the program's to handle, by awaiting the result; a program that never does must not end by it.
    settled.catch(() => undefined)
    return { ...client, result: () => settled }
  }
}

/** How long a detached run waits for a job to begin: restores are prepared, folders are looked for. */
const BEGIN_MS = 10_000
/** How long a run from the latest snapshot waits for its tasks to be started from it. */
const RESTORE_MS = 3000
const LOOK_MS = 20

/** Waits until the job has begun, as Flink does. @throws what it failed with if it could not */
async function untilBegun(cluster: ClusterClient, client: JobClient): Promise<void> {
  const deadline = performance.now() + BEGIN_MS
  while (performance.now() < deadline) {
    // It is submitted whether or not the cluster answers this.
    const status = await client.status().catch(() => undefined)
    if (status === 'FAILED') await client.result()
    if (status !== 'INITIALIZING' && status !== 'CREATED') return
    await setTimeout(LOOK_MS)
  }
}

/** What the tasks of the job are started from; undefined: they were not started in time. */
async function restoredFrom(cluster: ClusterClient, jobId: JobId): Promise<RestoredRecord | undefined> {
  const deadline = performance.now() + RESTORE_MS
  while (performance.now() < deadline) {
    const snapshot = await cluster.restoredFrom(jobId)
    if (snapshot !== undefined) return snapshot
    await setTimeout(LOOK_MS)
  }
  return undefined
}

/** Whether the cluster said how the job ended, or nobody can say. */
function outcomeIsKnown(error: unknown): boolean {
  return (
    !isFlinkError(error) || (error.code !== 'client.job-state-unknown' && error.code !== 'client.job-lost')
  )
}
