import { isFlinkError, type JobId, newId, type SerializedError } from '@flink-ts/common'
import {
  DISPATCHER_ENDPOINT,
  type DispatcherGateway,
  dispatcherGateway,
  type JobResult,
} from '@flink-ts/gateways'
import type { RestoreSettings } from '@flink-ts/jobgraph'
import type { RpcSession } from '@flink-ts/rpc'
import { jobGraphOf } from './job-graph.ts'
import { type JobPlan, SAVEPOINTS } from './scenario.ts'
import { accessOf } from './simulated-high-availability.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

const RETRY_MS = 150
const PROGRAM = {
  code: { type: 'module' as const, url: 'file:///job.js' },
  record: { args: [], randomSeed: 0, clockReadings: [], environment: {}, captures: {}, earlierResults: [] },
  executeIndex: 0,
}

/**
 * The user of one job: submits it, waits for its end, and goes on from the latest snapshot whenever it ended before its
 * work was done. Without high availability a job is lost with its JobManager: the user submits it anew.
 */
export class SimulatedClient {
  readonly plan: JobPlan
  readonly #process: SimulatedProcess
  readonly #access: ReturnType<typeof accessOf>
  readonly #highAvailability: boolean
  readonly #world: World
  #session: Promise<RpcSession> | undefined
  #jobId: JobId | undefined
  #parallelism: number
  /** The user has asked for the end of the job: location of the savepoint, undefined if there is none. */
  #stopping: Promise<string | undefined> | undefined
  #cancelled = false
  #finished = false
  /** Jobs that have come to their normal end. */
  readonly ended: JobId[] = []

  /** @param jobManagerAddress undefined: whoever leads, and jobs outlive JobManagers */
  constructor(plan: JobPlan, process: SimulatedProcess, jobManagerAddress: string | undefined, world: World) {
    this.plan = plan
    this.#process = process
    this.#access = accessOf(world, process, jobManagerAddress)
    this.#highAvailability = jobManagerAddress === undefined
    this.#world = world
    this.#parallelism = plan.parallelism
  }

  /** All is processed, and the job is over. */
  get finished(): boolean {
    return this.#finished
  }

  get jobId(): JobId | undefined {
    return this.#jobId
  }

  /** Opens the connection. */
  async connect(): Promise<void> {
    await this.#gateway()
  }

  start(): void {
    this.#run().catch((error: unknown) =>
      this.#world.verdict.violated('crash', `${this.plan.workload.name}: ${textOf(error)}`),
    )
  }

  savepoint(): void {
    // Its outcome is of no interest to anybody.
    void this.#trigger('no')
  }

  checkpoint(): void {
    const jobId = this.#jobId
    if (jobId === undefined) return
    const triggerId = newId<string>(this.#process.random)
    // Its outcome is of no interest to anybody.
    void this.#ask(gateway => gateway.triggerCheckpoint(jobId, triggerId)).catch(() => {})
  }

  stop(mode: 'suspend' | 'drain', parallelism: number): void {
    if (this.#jobId === undefined || this.#stopping !== undefined) return
    this.#resumeWith(parallelism)
    this.#stopping = this.#trigger(mode)
  }

  cancel(parallelism: number): void {
    const jobId = this.#jobId
    if (jobId === undefined || this.#stopping !== undefined) return
    this.#cancelled = true
    this.#resumeWith(parallelism)
    // Lost or refused: the job goes on, or has ended.
    void this.#ask(gateway => gateway.cancelJob(jobId)).catch(() => {})
  }

  #resumeWith(parallelism: number): void {
    // Splits stay where they are without an exchange by key; and records that were on their way to a step in between are
    // not in order with later ones at another parallelism.
    const { topology, checkpointing } = this.plan
    const stays = topology === 'forward' || (topology === 'map' && checkpointing.unaligned !== undefined)
    if (!stays) this.#parallelism = Math.min(parallelism, this.plan.parallelism)
  }

  async #run(): Promise<void> {
    const { workload } = this.plan
    const { output, storage } = this.#world
    let restoreFrom: RestoreSettings | undefined
    for (;;) {
      const jobId = newId<JobId>(this.#process.random)
      this.#note({ jobId, restoreFrom: restoreFrom?.path, parallelism: this.#parallelism }, 'submits')
      const graph = jobGraphOf(this.plan, { jobId, parallelism: this.#parallelism, restoreFrom })
      await this.#submit({ graph, program: PROGRAM })
      this.#jobId = jobId
      const result = await this.#result(jobId)
      this.#note({ jobId, result: result?.status }, 'has a result')
      const wasStopping = this.#stopping !== undefined
      const stopped = await this.#stopping
      this.#jobId = undefined
      this.#stopping = undefined
      if (result?.status === 'FINISHED') this.ended.push(jobId)
      const { splits, recordsPerSplit, name } = workload
      const isAllThere = output.count(name) === splits * recordsPerSplit
      // A JobManager that was lost may not have said where the savepoint is.
      if (result?.status === 'FINISHED' && stopped === undefined && (isAllThere || !wasStopping)) break
      // The JobManager was lost after the job had come to its end: nothing is left to do.
      if (result === undefined && isAllThere && !this.#highAvailability) break
      this.#judge(result)
      this.#cancelled = false
      const latest = storage.latestSnapshot(name)
      // That of a drained job is taken only by its path.
      const found = latest?.metadata.drained === true ? latest.pointer : latest && 'latest'
      const path = stopped ?? found
      const claimMode = this.#process.random.next() < 0.5 ? 'claim' : 'no-claim'
      restoreFrom = path === undefined ? undefined : { path, allowNonRestoredState: false, claimMode }
      await this.#pause()
    }
    output.finished(workload)
    this.#finished = true
  }

  /** Whether an end before the end of the work is one that had to be. */
  #judge(result: JobResult | undefined): void {
    if (result === undefined && this.#highAvailability)
      this.#world.verdict.violated('job-failed', 'the cluster has forgotten a job that it had accepted')
    if (result === undefined || result.status === 'FINISHED') return
    if (result.status === 'CANCELED') {
      if (!this.#cancelled) this.#world.verdict.violated('job-failed', 'cancelled, but nobody wanted that')
      return
    }
    // Before a job runs, a storage that fails is its end.
    const text = messagesOf(result.error).join(': ')
    // A savepoint that drained the job may have been completed after the user had looked.
    if (!text.includes('the storage') && !text.includes('was drained'))
      this.#world.verdict.violated('job-failed', text)
  }

  /** Undefined: nobody knows the job. */
  async #result(jobId: JobId): Promise<JobResult | undefined> {
    try {
      return await this.#ask(gateway => gateway.requestJobResult(jobId))
    } catch (error) {
      if (isFlinkError(error) && error.code === 'dispatcher.job-not-found') return undefined
      throw error
    }
  }

  async #submit(submission: Parameters<DispatcherGateway['submitJob']>[0]): Promise<void> {
    for (;;) {
      try {
        await this.#ask(gateway => gateway.submitJob(submission))
        return
      } catch (error) {
        // An earlier try arrived, its answer did not.
        if (isFlinkError(error) && error.code === 'dispatcher.duplicate-job') return
        // Under the same id: if it was kept in spite of the error, the next leader runs it.
        if (!this.#highAvailability) throw error
        this.#note({ error }, 'is refused')
        await this.#pause()
      }
    }
  }

  /** Resolves with the location, undefined if there will be none. */
  async #trigger(stop: 'no' | 'suspend' | 'drain'): Promise<string | undefined> {
    const jobId = this.#jobId
    if (jobId === undefined) return undefined
    const trigger = { triggerId: newId<string>(this.#process.random), directory: SAVEPOINTS, stop }
    try {
      const location = await this.#ask(gateway => gateway.triggerSavepoint(jobId, trigger))
      this.#note({ jobId, location, stop }, 'has a savepoint')
      return location
    } catch (error) {
      this.#note({ jobId, error, stop }, 'has no savepoint')
      return undefined
    }
  }

  /** Calls until there is an answer. */
  async #ask<T>(call: (gateway: DispatcherGateway) => Promise<T>): Promise<T> {
    for (;;) {
      const gateway = await this.#gateway()
      try {
        return await call(gateway)
      } catch (error) {
        if (!isFlinkError(error) || error.code !== 'rpc.session-lost') throw error
        await this.#pause()
      }
    }
  }

  async #gateway(): Promise<DispatcherGateway> {
    for (;;) {
      this.#session ??= this.#access.rpc.connect(this.#access.jobManagerAddress, DISPATCHER_ENDPOINT, {
        name: 'client',
        handlers: () => ({}),
      })
      const opening = this.#session
      try {
        const session = await opening
        if (!session.lost) return session.gateway(dispatcherGateway)
      } catch (error) {
        if (!isFlinkError(error) || error.retry !== 'backoff') throw error
      }
      await this.#pause()
      if (this.#session === opening) this.#session = undefined
    }
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#process.clock.schedule(RETRY_MS, resolve))
  }

  #note(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#world.logger(`client/${this.plan.workload.name}`).info(fields, message)
  }
}

function messagesOf(error: SerializedError | undefined): readonly string[] {
  return error === undefined ? [] : [error.message, ...messagesOf(error.cause as SerializedError | undefined)]
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
