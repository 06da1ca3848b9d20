import type { ChaosCluster } from './chaos-cluster.ts'

interface JobOfOverview {
  readonly jid: string
  readonly name: string
  readonly state: string
  readonly tasks: Readonly<Record<'total' | 'running' | 'finished', number>>
}

const PERIOD_MS = 100
/** Faults of leaders last up to 12 s, and follow each other. */
const ANSWER_LIMIT_MS = 120_000

/** What the cluster says of its jobs, asked for again and again for as long as somebody answers. */
export class JobMonitor {
  readonly #chaos: ChaosCluster
  #jobs = new Map<string, JobOfOverview>()
  #slots: { readonly total: number; readonly taskManagers: number; readonly available: number } | undefined
  #askedAt = -1
  #stopped = false
  #loop: Promise<void>

  constructor(chaos: ChaosCluster) {
    this.#chaos = chaos
    this.#loop = this.#run()
  }

  /** When that was asked which the last answer answers, by `performance.now()`: what it says was true later than that. */
  get askedAt(): number {
    return this.#askedAt
  }

  get slots() {
    return this.#slots
  }

  /** Undefined: the cluster does not know it, as far as it answers. */
  stateOf(jobId: string): string | undefined {
    return this.#jobs.get(jobId)?.state
  }

  /** Whether all tasks run that are not over; so a job that is over itself. */
  isUp(jobId: string): boolean {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return false
    const { state, tasks } = job
    return state === 'FINISHED' || (state === 'RUNNING' && tasks.running + tasks.finished === tasks.total)
  }

  /** Ids of all jobs of a name, by an answer to what is asked after the call. Rejects if nobody answers for long. */
  async idsOf(name: string): Promise<readonly string[]> {
    const since = performance.now()
    while (this.#askedAt < since) {
      if (performance.now() > since + ANSWER_LIMIT_MS)
        throw new Error(`no JobManager has answered for ${ANSWER_LIMIT_MS} ms`)
      await new Promise(resolve => setTimeout(resolve, PERIOD_MS))
    }
    return [...this.#jobs.values()].filter(job => job.name === name).map(job => job.jid)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#loop
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const askedAt = performance.now()
      const jobs = await this.#chaos.rest<{ jobs: readonly JobOfOverview[] }>('/jobs/overview')
      const overview =
        await this.#chaos.rest<Readonly<Record<'slots-total' | 'slots-available' | 'taskmanagers', number>>>(
          '/overview',
        )
      if (jobs !== undefined && overview !== undefined) {
        this.#jobs = new Map(jobs.jobs.map(job => [job.jid, job]))
        const { 'slots-total': total, 'slots-available': available, taskmanagers: taskManagers } = overview
        this.#slots = { total, available, taskManagers }
        this.#askedAt = askedAt
      }
      await new Promise(resolve => setTimeout(resolve, PERIOD_MS))
    }
  }
}
