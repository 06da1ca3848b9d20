import { isFlinkError, type JobId, type Logger } from '@flink-ts/common'
import { FileNotFound, type FileSystem, joinUri } from '@flink-ts/filesystem'
import { BLOB_PART_BYTES, type BlobStore } from '@flink-ts/rpc'
import type { LeaderTerm } from '../leader/leader-term.ts'
import type { JobRecord } from '../store/job-progress.ts'
import type { JobStore, StoredJob } from '../store/job-store.ts'
import { openRecord, sealRecord } from '../store/sealed-record.ts'

const SUBMISSION = 'submission'
const RECORD = /\/record-(\d{12})$/
/** What a process that was killed left of a record that it was writing. */
const UNFINISHED_RECORD = /\/\.record-(\d{12})\.[0-9a-f]+\.tmp$/
const BLOB = /\/blob-([0-9a-f]{64})$/
const JOB = /\/([0-9a-f]{32})$/

/**
 * One folder for each job: `submission`, `blob-<key>`, and `record-<epoch>`, which only the leader of that epoch writes.
 * The highest one counts, so that what a leader writes after its time never does. A submission without a record was not
 * accepted. Blobs are not shared between jobs: nobody's removal concerns anybody else's. Owner: the leader's main thread.
 */
export class FileJobStore implements JobStore {
  readonly #folder: string
  readonly #fileSystem: FileSystem
  readonly #term: LeaderTerm
  readonly #blobs: BlobStore
  readonly #logger: Logger
  /** Jobs of which no record of an earlier epoch is left. */
  readonly #adopted = new Set<JobId>()

  /**
   * @param options folder: URI
   * @param dependencies blobs: where those of this process are
   */
  constructor(
    options: { readonly folder: string },
    dependencies: {
      readonly fileSystem: FileSystem
      readonly term: LeaderTerm
      readonly blobs: BlobStore
      readonly logger: Logger
    },
  ) {
    this.#folder = options.folder
    this.#fileSystem = dependencies.fileSystem
    this.#term = dependencies.term
    this.#blobs = dependencies.blobs
    this.#logger = dependencies.logger.child({ component: 'highavailability' })
  }

  async list(): Promise<readonly StoredJob[]> {
    const jobs: StoredJob[] = []
    for (const { uri, isDirectory } of await this.#fileSystem.list(this.#folder)) {
      const jobId = JOB.exec(uri)?.[1] as JobId | undefined
      if (jobId === undefined || !isDirectory) continue
      try {
        const job = await this.#read(jobId)
        if (job === undefined) {
          this.#logger.info({ jobId }, 'A submission that was never accepted is removed')
          await this.remove(jobId)
        } else jobs.push(job)
      } catch (error) {
        this.#term.check()
        // The storage is away: the term begins with all jobs, or not at all.
        if (isFlinkError(error) && error.retry === 'backoff') throw error
        this.#logger.error({ jobId, where: uri, error }, 'A stored job cannot be read and is not run')
      }
    }
    await this.#term.confirm()
    return jobs
  }

  async add(jobId: JobId, submission: unknown, blobKeys: readonly string[]): Promise<void> {
    this.#term.check()
    await this.#copyBlobs(jobId, blobKeys)
    await this.#write(joinUri(this.#folder, jobId, SUBMISSION), submission)
    await this.record(jobId, { status: 'running', progress: undefined })
  }

  async record(jobId: JobId, record: JobRecord, blobKeys: readonly string[] = []): Promise<void> {
    this.#term.check()
    await this.#copyBlobs(jobId, blobKeys)
    await this.#write(joinUri(this.#folder, jobId, recordName(this.#term.epoch)), record)
    await this.#term.confirm()
    if (record.status === 'running' && this.#adopted.has(jobId)) return
    // It counts already: what is not removed stays until the job is forgotten.
    await this.#tidy(jobId, record, blobKeys).catch((error: unknown) =>
      this.#logger.info({ jobId, error }, 'Files of a job that are not needed any more stay behind'),
    )
    this.#adopted.add(jobId)
  }

  async remove(jobId: JobId): Promise<void> {
    await this.#term.confirm()
    await this.#fileSystem.delete(joinUri(this.#folder, jobId), { recursive: true })
    this.#adopted.delete(jobId)
  }

  async *readBlob(jobId: JobId, blobKey: string): AsyncIterable<Uint8Array> {
    const file = await this.#fileSystem.open(joinUri(this.#folder, jobId, `blob-${blobKey}`))
    try {
      for (let offset = 0; offset < file.sizeBytes; offset += BLOB_PART_BYTES)
        yield await file.read(offset, BLOB_PART_BYTES)
    } finally {
      await file.close()
    }
  }

  async #read(jobId: JobId): Promise<StoredJob | undefined> {
    const files = (await this.#fileSystem.list(joinUri(this.#folder, jobId))).map(({ uri }) => uri)
    const epoch = Math.max(0, ...files.map(uri => Number(RECORD.exec(uri)?.[1] ?? 0)))
    if (epoch === 0) return undefined
    const record = (await this.#open(joinUri(this.#folder, jobId, recordName(epoch)))) as JobRecord
    const blobKeys = files.flatMap(uri => BLOB.exec(uri)?.[1] ?? [])
    if (record.status === 'over') return { jobId, record, submission: undefined, blobKeys }
    try {
      const submission = await this.#open(joinUri(this.#folder, jobId, SUBMISSION))
      return { jobId, record, submission, blobKeys }
    } catch (error) {
      // The record is the late write of a former leader about a job that is forgotten.
      if (FileNotFound.is(error)) return undefined
      throw error
    }
  }

  async #open(uri: string): Promise<unknown> {
    return openRecord(await this.#fileSystem.readFile(uri), uri)
  }

  async #write(uri: string, value: unknown): Promise<void> {
    await this.#fileSystem.writeFile(uri, sealRecord(value, uri), 'overwrite')
  }

  /** Removes records of earlier leaders, and of a job that is over what would be needed to run it. */
  async #tidy(jobId: JobId, record: JobRecord, blobKeys: readonly string[]): Promise<void> {
    for (const { uri } of await this.#fileSystem.list(joinUri(this.#folder, jobId))) {
      const [, ofEpoch] = RECORD.exec(uri) ?? UNFINISHED_RECORD.exec(uri) ?? []
      const epoch = Number(ofEpoch ?? this.#term.epoch)
      const blobKey = BLOB.exec(uri)?.[1]
      const ofProgram =
        uri.endsWith(`/${SUBMISSION}`) || (blobKey !== undefined && !blobKeys.includes(blobKey))
      if (epoch < this.#term.epoch || (record.status === 'over' && ofProgram))
        await this.#fileSystem.delete(uri)
    }
  }

  async #copyBlobs(jobId: JobId, blobKeys: readonly string[]): Promise<void> {
    for (const blobKey of blobKeys) {
      const target = joinUri(this.#folder, jobId, `blob-${blobKey}`)
      if ((await this.#fileSystem.status(target)) !== undefined) continue
      // Renamed when it is whole; under a name of this epoch, so that two leaders don't write into one file.
      const temporary = joinUri(this.#folder, jobId, `incoming-${blobKey}-${this.#term.epoch}`)
      const output = await this.#fileSystem.create(temporary, 'overwrite')
      try {
        for await (const part of this.#blobs.read(blobKey)) await output.write(part)
        await output.sync()
      } finally {
        await output.close()
      }
      await this.#fileSystem.rename(temporary, target)
    }
  }
}

function recordName(epoch: number): string {
  return `record-${String(epoch).padStart(12, '0')}`
}
