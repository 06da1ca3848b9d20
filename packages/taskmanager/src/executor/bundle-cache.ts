import { type Clock, isFlinkError, type JobId, type Logger, type Random } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import { BundleFolder } from '@flink-ts/jobgraph'
import type { BlobAccess } from '@flink-ts/rpc'
import { BundleUnavailable } from '../errors.ts'
import { retryWithBackoff } from './backoff.ts'

/** Gives the code of jobs. */
export interface BundleCache {
  /** URL of the module to evaluate. Rejects with `taskmanager.bundle-unavailable` and errors of the bundle. */
  moduleUrl(job: JobInformation): Promise<string>
  /** Nothing of the job runs in this process any more. Never rejects. */
  release(jobId: JobId): Promise<void>
}

const BACKOFF = { initialMs: 50, maxMs: 500 }
const FETCH_TIMEOUT_MS = 5000

interface BundleCacheDependencies {
  readonly blobs: BlobAccess
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Bundles fetched from the JobManager: see {@link BundleFolder}. */
export class BlobBundleCache implements BundleCache {
  readonly #folder: BundleFolder
  readonly #ports: BundleCacheDependencies

  /** @param options `directory`: a folder of this process alone */
  constructor(options: { readonly directory: string }, dependencies: BundleCacheDependencies) {
    this.#folder = new BundleFolder(options)
    this.#ports = dependencies
  }

  moduleUrl(job: JobInformation): Promise<string> {
    const { code } = job.program
    if (code.type === 'module') return Promise.resolve(code.url)
    const { blobKey } = code
    return this.#folder.use(job.jobId, blobKey, file => this.#fetch(job, blobKey, file))
  }

  release(jobId: JobId): Promise<void> {
    return this.#folder.release(jobId)
  }

  async #fetch(job: JobInformation, blobKey: string, file: string): Promise<void> {
    const { blobs, clock } = this.#ports
    const deadlineMs = clock.monotonicMs() + FETCH_TIMEOUT_MS
    try {
      await retryWithBackoff(
        BACKOFF,
        this.#ports,
        'bundle from the JobManager',
        () => blobs.get(job.blobAddress, blobKey, file),
        error => isFlinkError(error) && error.retry === 'backoff' && clock.monotonicMs() < deadlineMs,
      )
    } catch (error) {
      throw BundleUnavailable({ job: job.graph.name, blobKey }, error)
    }
  }
}
