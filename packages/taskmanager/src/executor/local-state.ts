import type { Clock, JobId, Logger, SlotId, Timer } from '@flink-ts/common'
import { fileSystemFor, joinUri } from '@flink-ts/filesystem'
import type { LocalCopiesMade } from '../thread/slot-messages.ts'

/** How long copies of a job that has no slot here any more wait for it to come back. */
const RETENTION_MS = 60_000

interface LocalStateDependencies {
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Copies of the state of jobs on the disks of this TaskManager, `<folder>/<job id>/chk-<n>/<name>`. Slot threads write
 * and read them; here they are removed: when a newer checkpoint is complete, when the job is over, or when it has had no
 * slot here for a minute. Owner: TaskExecutor main thread.
 */
export class LocalState {
  readonly #folders: readonly string[]
  readonly #ports: LocalStateDependencies
  readonly #jobs = new Map<JobId, JobLocalState>()
  readonly #leaving = new Set<Promise<void>>()

  /** @param options `folders`: URIs; empty: no copies are kept */
  constructor(options: { readonly folders: readonly string[] }, dependencies: LocalStateDependencies) {
    this.#folders = options.folders
    this.#ports = dependencies
  }

  /** That of a job. */
  of(jobId: JobId): JobLocalState {
    const known = this.#jobs.get(jobId)
    if (known !== undefined) return known
    const folders = this.#folders.map(folder => joinUri(folder, jobId))
    const gone = (removed: Promise<void>): void => {
      this.#jobs.delete(jobId)
      this.#leaving.add(removed)
      // `removed` never rejects.
      void removed.then(() => this.#leaving.delete(removed))
    }
    const made = new JobLocalState({ folders, jobId }, { ...this.#ports, gone })
    this.#jobs.set(jobId, made)
    return made
  }

  /** Waits for what is being removed. What is left goes with the folder of the process. */
  async close(): Promise<void> {
    await Promise.all([...[...this.#jobs.values()].map(job => job.close()), ...this.#leaving])
  }
}

/** The copies of one job. */
export class JobLocalState {
  readonly #folders: readonly string[]
  readonly #jobId: JobId
  readonly #ports: LocalStateDependencies & { readonly gone: (removed: Promise<void>) => void }
  /** By checkpoint: the checkpoints that have its files. Those that are not complete yet, and the latest that is. */
  readonly #origins = new Map<number, Set<number>>()
  /** One removal at a time. Never rejects. */
  #removing: Promise<void> = Promise.resolve()
  #over = false
  #retention: Timer | undefined

  constructor(
    options: { readonly folders: readonly string[]; readonly jobId: JobId },
    dependencies: LocalStateDependencies & { readonly gone: (removed: Promise<void>) => void },
  ) {
    this.#folders = options.folders
    this.#jobId = options.jobId
    this.#ports = dependencies
  }

  /** A slot is the job's. @returns folders for its copies, its own first */
  taken(slotId: SlotId): readonly string[] {
    this.#retention?.cancel()
    this.#retention = undefined
    const first = Number(slotId.slice(slotId.lastIndexOf('_') + 1)) % Math.max(1, this.#folders.length) || 0
    return [...this.#folders.slice(first), ...this.#folders.slice(0, first)]
  }

  made({ checkpointId, origins }: LocalCopiesMade): void {
    const known = this.#origins.get(checkpointId) ?? new Set()
    for (const origin of origins) known.add(origin)
    this.#origins.set(checkpointId, known)
  }

  /** A checkpoint is complete: older ones are not needed, but for files that it or a later one builds upon. */
  complete(checkpointId: number): void {
    if (this.#origins.size === 0) return
    for (const id of [...this.#origins.keys()]) if (id < checkpointId) this.#origins.delete(id)
    const kept = new Set([...this.#origins.values()].flatMap(origins => [...origins]))
    this.#remove(async folder => {
      for (const { uri } of await fileSystemFor(folder).list(folder)) {
        const id = Number(/\/chk-(\d+)$/.exec(uri)?.[1])
        if (id < checkpointId && !kept.has(id)) await fileSystemFor(uri).delete(uri, { recursive: true })
      }
    })
  }

  aborted(checkpointId: number): void {
    if (!this.#origins.delete(checkpointId)) return
    this.#remove(folder =>
      fileSystemFor(folder).delete(joinUri(folder, `chk-${checkpointId}`), { recursive: true }),
    )
  }

  /** The job has ended and will not be restarted. */
  over(): void {
    this.#over = true
  }

  /** The last slot of the job here is given back. */
  left(): void {
    if (this.#over || this.#origins.size === 0) this.#end()
    else this.#retention ??= this.#ports.clock.schedule(RETENTION_MS, () => this.#end(), { unref: true })
  }

  /** Waits for what is being removed. */
  close(): Promise<void> {
    this.#retention?.cancel()
    return this.#removing
  }

  #end(): void {
    // Files of checkpoints that no task has acknowledged are there without our knowledge.
    this.#remove(folder => fileSystemFor(folder).delete(folder, { recursive: true }))
    this.#ports.gone(this.#removing)
  }

  #remove(work: (folder: string) => Promise<void>): void {
    this.#removing = this.#removing.then(async () => {
      for (const folder of this.#folders) {
        try {
          await work(folder)
        } catch (error) {
          // A task may be writing there: what is left goes with the next checkpoint, or with the job.
          this.#ports.logger.info({ jobId: this.#jobId, folder, error }, 'Local copies of state not removed')
        }
      }
    })
  }
}
