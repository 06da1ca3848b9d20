import { type JobId, storedBlobKeys } from '@flink-ts/common'
import type { JobResult, JobSubmission } from '@flink-ts/gateways'
import { cachedBlobKeys } from '@flink-ts/jobgraph'

/**
 * Which blobs the jobs need that run or are remembered: programs, cached files, and results that are too large for a
 * message. Others may go. Owner: Dispatcher main thread.
 */
export class JobBlobs {
  readonly #users = new Map<string, Set<JobId>>()
  readonly #delete: (blobKey: string) => void

  /** @param onUnused told of each blob that nobody needs any more */
  constructor(onUnused: (blobKey: string) => void) {
    this.#delete = onUnused
  }

  /** From now on the program of a job and its cached files are needed. */
  submitted({ graph, program }: JobSubmission): void {
    if (program.code.type === 'bundle') this.#use(graph.jobId, program.code.blobKey)
    for (const key of cachedBlobKeys(graph.cachedFiles)) this.#use(graph.jobId, key)
  }

  /** From now on the result of a job is needed. */
  finished(jobId: JobId, result: JobResult): void {
    if (result.status !== 'FINISHED') return
    for (const key of storedBlobKeys(result.result.accumulators)) this.#use(jobId, key)
  }

  /** The job needs nothing any more. */
  forget(jobId: JobId): void {
    for (const [blobKey, users] of this.#users) {
      if (!users.delete(jobId) || users.size > 0) continue
      this.#users.delete(blobKey)
      this.#delete(blobKey)
    }
  }

  #use(jobId: JobId, blobKey: string): void {
    const users = this.#users.get(blobKey) ?? new Set()
    this.#users.set(blobKey, users.add(jobId))
  }
}
