import type { Clock, JobId, Logger, Timer } from '@flink-ts/common'
import type { FinishedJob } from '@flink-ts/dispatcher'
import type {
  CheckpointStatistics,
  DispatcherGateway,
  JobDetails,
  JobOverview,
  JobResult,
  ResourceOverview,
  VertexAttempts,
} from '@flink-ts/gateways'
import { HistoryOnly, JobNotArchived } from '../errors.ts'
import type { ArchivedJob, JobArchive } from './job-archive.ts'

interface Entry extends ArchivedJob {
  readonly archive: JobArchive
  /** Undefined: it cannot be read. */
  readonly overview: JobOverview | undefined
}

/** Jobs that are held in full: who looks at one asks for many parts of it. */
const MOST_HELD = 10

/**
 * The jobs of archives in the place of a cluster's: they can be looked at like those of a Dispatcher, and nothing can be
 * done with them. Owner: the main thread of the history server.
 */
export class ArchivedJobs implements DispatcherGateway {
  readonly #options: { readonly refreshIntervalMs: number; readonly retainedJobs: number }
  readonly #archives: readonly JobArchive[]
  readonly #clock: Clock
  readonly #logger: Logger
  #entries = new Map<JobId, Entry>()
  /** Looked at last at the end. */
  readonly #held = new Map<JobId, Promise<FinishedJob>>()
  #timer: Timer | undefined
  #closed = false

  /** @param options retainedJobs: -1: all */
  constructor(
    options: { readonly refreshIntervalMs: number; readonly retainedJobs: number },
    dependencies: {
      readonly archives: readonly JobArchive[]
      readonly clock: Clock
      readonly logger: Logger
    },
  ) {
    this.#options = options
    this.#archives = dependencies.archives
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
  }

  /** Reads what there is, and goes on looking for more. */
  async start(): Promise<void> {
    await this.refresh()
    const again = async (): Promise<void> => {
      await this.refresh()
      if (!this.#closed)
        this.#timer = this.#clock.schedule(this.#options.refreshIntervalMs, () => void again())
    }
    // Never rejects.
    if (!this.#closed) this.#timer = this.#clock.schedule(this.#options.refreshIntervalMs, () => void again())
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** Looks for archives. A folder that cannot be listed keeps its jobs. Never rejects. */
  async refresh(): Promise<void> {
    const entries = new Map<JobId, Entry>()
    for (const archive of this.#archives) {
      for (const entry of await this.#entriesOf(archive)) entries.set(entry.jobId, entry)
    }
    this.#entries = entries
    for (const jobId of this.#held.keys()) if (!entries.has(jobId)) this.#held.delete(jobId)
  }

  async #entriesOf(archive: JobArchive): Promise<readonly Entry[]> {
    const before = [...this.#entries.values()].filter(entry => entry.archive === archive)
    try {
      const known = new Map(before.map(entry => [entry.jobId, entry]))
      const entries: Entry[] = []
      for (const [index, job] of (await archive.list()).entries()) {
        const { retainedJobs } = this.#options
        if (retainedJobs >= 0 && index >= retainedJobs) {
          await archive.remove(job.jobId)
          this.#logger.info(
            { jobId: job.jobId, directory: archive.directory, retainedJobs },
            'Archive removed',
          )
        } else {
          const before = known.get(job.jobId)
          const overview = before?.overview ?? (await this.#overview(archive, job, before === undefined))
          entries.push({ ...job, archive, overview })
        }
      }
      return entries
    } catch (error) {
      this.#logger.warn(
        { directory: archive.directory, error },
        'Archives of jobs could not be listed; it is tried again. See historyserver.archive.fs.dir',
      )
      return before
    }
  }

  async #overview(
    archive: JobArchive,
    { jobId }: ArchivedJob,
    isNew: boolean,
  ): Promise<JobOverview | undefined> {
    try {
      const job = await archive.read(jobId)
      if (job === undefined) return undefined
      const { name, status, startTime, endTime, lastModification, tasks } = job.details
      return { jobId, name, status, startTime, endTime, lastModification, tasks }
    } catch (error) {
      // Said once: it is looked at again and again.
      if (isNew)
        this.#logger.warn({ jobId, directory: archive.directory, error }, 'An archive of a job is left out')
      return undefined
    }
  }

  async #job(jobId: JobId): Promise<FinishedJob> {
    const entry = this.#entries.get(jobId)
    if (entry?.overview === undefined) throw JobNotArchived({ jobId })
    const held = this.#held.get(jobId) ?? this.#read(entry)
    this.#held.delete(jobId)
    this.#held.set(jobId, held)
    for (const other of this.#held.keys()) {
      if (this.#held.size <= MOST_HELD) break
      this.#held.delete(other)
    }
    held.catch(() => this.#held.delete(jobId))
    return await held
  }

  async #read({ archive, jobId }: Entry): Promise<FinishedJob> {
    const job = await archive.read(jobId)
    if (job === undefined) throw JobNotArchived({ jobId })
    return job
  }

  /** The one that ended last at the end, as a Dispatcher lists those that are over. */
  async listJobs(): Promise<readonly JobOverview[]> {
    return [...this.#entries.values()]
      .flatMap(({ overview }) => (overview === undefined ? [] : [overview]))
      .sort((a, b) => a.endTime - b.endTime)
  }

  async requestJobDetails(jobId: JobId): Promise<JobDetails> {
    return (await this.#job(jobId)).details
  }

  async requestCheckpoints(jobId: JobId): Promise<CheckpointStatistics> {
    return (await this.#job(jobId)).checkpoints
  }

  async requestAttempts(jobId: JobId): Promise<readonly VertexAttempts[]> {
    return (await this.#job(jobId)).attempts
  }

  async requestJobResult(jobId: JobId): Promise<JobResult> {
    return (await this.#job(jobId)).result
  }

  async requestResourceOverview(): Promise<ResourceOverview> {
    return { taskManagers: [], totalSlots: 0, freeSlots: 0 }
  }

  submitJob(): Promise<never> {
    return refused('Running a job')
  }

  cancelJob(): Promise<never> {
    return refused('Cancelling a job')
  }

  triggerSavepoint(): Promise<never> {
    return refused('Taking a savepoint')
  }

  triggerCheckpoint(): Promise<never> {
    return refused('Taking a checkpoint')
  }

  restartJob(): Promise<never> {
    return refused('Starting a job again')
  }

  requestSavepointStatus(): Promise<never> {
    return refused('Watching a savepoint')
  }

  disposeSavepoint(): Promise<never> {
    return refused('Removing a savepoint')
  }

  inspectTaskManager(): Promise<never> {
    return refused('Looking into a TaskManager')
  }
}

async function refused(what: string): Promise<never> {
  throw HistoryOnly({ what })
}
