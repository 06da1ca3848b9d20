import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isFlinkError, type JobId, type Logger, type Random } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import type { CachedFile } from '@flink-ts/jobgraph'
import type { BlobAccess } from '@flink-ts/rpc'
import { CachedFileInvalid, CachedFileUnavailable } from '../errors.ts'
import { retryWithBackoff } from './backoff.ts'

const BACKOFF = { initialMs: 50, maxMs: 500 }
const FETCH_TIMEOUT_MS = 30_000
const EXECUTABLE = 0o755

interface CachedFilesDependencies {
  readonly blobs: Pick<BlobAccess, 'get'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The copies of one job. */
interface JobCopies {
  readonly folder: string
  /** Undefined: not begun, or failed. */
  fetched: Promise<void> | undefined
}

/**
 * Files and folders that jobs have registered, copied once to this process: all slots of a job share them. They stay as
 * long as the job has slots here. Owner: TaskExecutor main thread.
 */
export class CachedFiles {
  readonly #directory: string
  readonly #ports: CachedFilesDependencies
  readonly #jobs = new Map<JobId, JobCopies>()
  /** Of folders: one that is being removed is not used again. */
  #folders = 0

  /** @param options `directory`: a folder of this process alone */
  constructor(options: { readonly directory: string }, dependencies: CachedFilesDependencies) {
    this.#directory = options.directory
    this.#ports = dependencies
  }

  /** Where the files of a job are, by their names, once they are fetched. */
  paths({ jobId, graph }: JobInformation): Readonly<Record<string, string>> {
    const files = graph.cachedFiles ?? []
    if (files.length === 0) return {}
    const { folder } = this.#copies(jobId)
    return Object.fromEntries(files.map(({ name }, index) => [name, pathOf(folder, index)]))
  }

  /**
   * Copies the files of a job, unless they are there. Rejects with `taskmanager.cached-file-unavailable` or
   * `taskmanager.cached-file-invalid`.
   */
  async fetch(job: JobInformation): Promise<void> {
    const files = job.graph.cachedFiles ?? []
    if (files.length === 0) return
    const copies = this.#copies(job.jobId)
    copies.fetched ??= this.#fetchAll(job, files, copies.folder).catch((error: unknown) => {
      copies.fetched = undefined
      throw error
    })
    await copies.fetched
  }

  /** The job has no slots here any more. Never rejects. */
  async release(jobId: JobId): Promise<void> {
    const copies = this.#jobs.get(jobId)
    if (copies === undefined) return
    this.#jobs.delete(jobId)
    // What is still being written would be left behind.
    await Promise.allSettled([copies.fetched])
    try {
      await rm(copies.folder, { recursive: true, force: true })
    } catch (error) {
      this.#ports.logger.warn(
        { jobId, folder: copies.folder, error },
        'Cached files of a job are not removed',
      )
    }
  }

  #copies(jobId: JobId): JobCopies {
    let copies = this.#jobs.get(jobId)
    if (copies === undefined) {
      copies = { folder: join(this.#directory, `${jobId}-${this.#folders++}`), fetched: undefined }
      this.#jobs.set(jobId, copies)
    }
    return copies
  }

  async #fetchAll(job: JobInformation, files: readonly CachedFile[], folder: string): Promise<void> {
    const deadlineMs = this.#ports.clock.monotonicMs() + FETCH_TIMEOUT_MS
    for (const [index, file] of files.entries()) {
      const root = pathOf(folder, index)
      for (const [path, blobKey] of blobsOf(file)) {
        const target = path === '' ? root : join(root, ...partsOf(file, path))
        await this.#fetchOne(job, file, { blobKey, target, deadlineMs })
        if (file.executable) await chmod(target, EXECUTABLE)
      }
    }
    this.#ports.logger.info(
      { jobId: job.jobId, files: files.map(({ name }) => name) },
      'Cached files fetched',
    )
  }

  async #fetchOne(
    job: JobInformation,
    { name, uri }: CachedFile,
    { blobKey, target, deadlineMs }: { blobKey: string; target: string; deadlineMs: number },
  ): Promise<void> {
    const { blobs, clock } = this.#ports
    try {
      await retryWithBackoff(
        BACKOFF,
        this.#ports,
        'cached file from the JobManager',
        () => blobs.get(job.blobAddress, blobKey, target),
        error => isFlinkError(error) && error.retry === 'backoff' && clock.monotonicMs() < deadlineMs,
      )
    } catch (error) {
      throw CachedFileUnavailable({ job: job.graph.name, name, uri }, error)
    }
  }
}

function pathOf(folder: string, index: number): string {
  return join(folder, String(index))
}

function blobsOf({ name, content }: CachedFile): readonly (readonly [path: string, blobKey: string])[] {
  if (content === undefined) throw CachedFileInvalid({ name, reason: 'it was not uploaded' })
  return content.type === 'file' ? [['', content.blobKey]] : Object.entries(content.files)
}

/** The path comes from a client: it must stay in the folder. */
function partsOf({ name }: CachedFile, path: string): readonly string[] {
  const parts = path.split('/')
  const isHarmless = (part: string): boolean =>
    part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part)
  if (!parts.every(isHarmless))
    throw CachedFileInvalid({ name, reason: `it has a file with the path '${path}'` })
  return parts
}
