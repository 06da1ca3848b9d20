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
import { ArchiveDamaged, HistoryOnly, JobNotArchived } from '../errors.ts'
import type { ArchivedJob, JobArchive } from './job-archive.ts'

interface Entry extends ArchivedJob {
  readonly archive: JobArchive
  /** `unread`: it is tried again. `damaged`: that would not help. */
  readonly overview: JobOverview | 'unread' | 'damaged'
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
  /** Folders that could not be listed the last time. */
  readonly #away = new Set<JobArchive>()
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
    const known = [...this.#entries.values()].filter(entry => entry.archive === archive)
    let listed: readonly ArchivedJob[]
    try {
      listed = await archive.list()
    } catch (error) {
      // Said once: it is looked for again and again.
      if (!this.#away.has(archive))
        this.#logger.warn(
          { directory: archive.directory, error },
          'Archives of jobs cannot be listed; it is tried again. See historyserver.archive.fs.dir',
        )
      this.#away.add(archive)
      return known
    }
    if (this.#away.delete(archive))
      this.#logger.info({ directory: archive.directory }, 'Archives of jobs can be listed again')
    // A folder that is not there is an empty one, as object stores have it.
    if (listed.length === 0 && known.length > 0)
      this.#logger.warn(
        { directory: archive.directory, jobs: known.length },
        'All archives of jobs are gone from their folder, or it is',
      )
    const { retainedJobs } = this.#options
    const kept = retainedJobs < 0 ? listed : listed.slice(0, retainedJobs)
    for (const { jobId } of listed.slice(kept.length)) await this.#remove(archive, jobId)
    const knownById = new Map(known.map(entry => [entry.jobId, entry]))
    const entries: Entry[] = []
    for (const job of kept) {
      const before = knownById.get(job.jobId)
      const isRead = before !== undefined && before.overview !== 'unread'
      if (isRead && before.archivedAt === job.archivedAt) entries.push(before)
      else
        entries.push({ ...job, archive, overview: await this.#overview(archive, job, before === undefined) })
    }
    return entries
  }

  /** One that cannot be removed is not shown either, and tried again. */
  async #remove(archive: JobArchive, jobId: JobId): Promise<void> {
    const { directory } = archive
    try {
      await archive.remove(jobId)
      const { retainedJobs } = this.#options
      this.#logger.info({ jobId, directory, retainedJobs }, 'Archive removed')
    } catch (error) {
      this.#logger.warn(
        { jobId, directory, error },
        'An archive beyond historyserver.archive.retained-jobs cannot be removed; it is tried again',
      )
    }
  }

  async #overview(archive: JobArchive, { jobId }: ArchivedJob, isNew: boolean): Promise<Entry['overview']> {
    try {
      const job = await archive.read(jobId)
      if (job === undefined) return 'unread'
      const { name, status, startTime, endTime, lastModification, tasks } = job.details
      return { jobId, name, status, startTime, endTime, lastModification, tasks }
    } catch (error) {
      // Said once: it may be read again and again.
      if (isNew)
        this.#logger.warn({ jobId, directory: archive.directory, error }, 'An archive of a job is left out')
      return ArchiveDamaged.is(error) ? 'damaged' : 'unread'
    }
  }

  async #job(jobId: JobId): Promise<FinishedJob> {
    const entry = this.#entries.get(jobId)
    if (typeof entry?.overview !== 'object') throw JobNotArchived({ jobId })
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
      .flatMap(({ overview }) => (typeof overview === 'object' ? [overview] : []))
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
