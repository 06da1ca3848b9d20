import type { JobId, Logger } from '@flink-ts/common'
import type { FinishedJob } from '@flink-ts/dispatcher'
import { FileAlreadyExists, FileNotFound, type FileSystem, joinUri } from '@flink-ts/filesystem'
import { decodePayload, encodePayload } from '@flink-ts/rpc'
import { ArchiveDamaged } from '../errors.ts'

/** What an archive begins with; the number changes when older versions could not read it. */
const HEADER = Buffer.from('flink-ts job archive 1\n')
const JOB_ID = /^[0-9a-f]{32}$/

/** An archive in its folder. */
export interface ArchivedJob {
  readonly jobId: JobId
  /** Milliseconds since the epoch. */
  readonly archivedAt: number
}

/** A folder with what is known of jobs that are over: one file for each, by its id. */
export class JobArchive {
  readonly directory: string
  readonly #fileSystem: FileSystem
  readonly #logger: Logger

  /** @param options directory: URI */
  constructor(
    options: { readonly directory: string },
    dependencies: { readonly fileSystem: FileSystem; readonly logger: Logger },
  ) {
    this.directory = options.directory
    this.#fileSystem = dependencies.fileSystem
    this.#logger = dependencies.logger
  }

  /** Keeps a job. One that is there already stays as it is. Never rejects. */
  async keep(job: FinishedJob): Promise<void> {
    const { jobId } = job.details
    try {
      const content = Buffer.concat([HEADER, encodePayload(job)])
      await this.#fileSystem.writeFile(this.#uri(jobId), content, 'create')
      this.#logger.info({ jobId, directory: this.directory }, 'Job archived')
    } catch (error) {
      // By the leader before.
      if (FileAlreadyExists.is(error)) return
      this.#logger.error(
        { jobId, directory: this.directory, error },
        'A job that is over could not be archived: the history server will not have it. See jobmanager.archive.fs.dir',
      )
    }
  }

  /** The latest first. */
  async list(): Promise<readonly ArchivedJob[]> {
    const files = await this.#fileSystem.list(this.directory)
    return files
      .flatMap(({ uri, modifiedAt }) => {
        const name = uri.slice(uri.lastIndexOf('/') + 1)
        return JOB_ID.test(name) ? [{ jobId: name as JobId, archivedAt: modifiedAt }] : []
      })
      .sort((a, b) => b.archivedAt - a.archivedAt)
  }

  /** Undefined: it is not there (any more). Throws `cluster.archive-damaged`. */
  async read(jobId: JobId): Promise<FinishedJob | undefined> {
    const uri = this.#uri(jobId)
    let content: Buffer
    try {
      content = await this.#fileSystem.readFile(uri)
    } catch (error) {
      if (FileNotFound.is(error)) return undefined
      throw error
    }
    if (!content.subarray(0, HEADER.length).equals(HEADER))
      throw ArchiveDamaged({ uri, reason: 'it is no archive of a job, or one of a later version' })
    try {
      return decodePayload(content.subarray(HEADER.length)) as FinishedJob
    } catch (error) {
      throw ArchiveDamaged({ uri, reason: error instanceof Error ? error.message : String(error) }, error)
    }
  }

  async remove(jobId: JobId): Promise<void> {
    await this.#fileSystem.delete(this.#uri(jobId))
  }

  #uri(jobId: JobId): string {
    return joinUri(this.directory, jobId)
  }
}
