import type { JobId } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import { BundleFolder } from '@flink-ts/jobgraph'
import type { BlobAccess } from '@flink-ts/rpc'
import { BundleUnavailable } from '../errors.ts'

/** Code of jobs: see {@link BundleFolder}. Owner: main thread of the job host. */
export class JobBundles {
  readonly #folder: BundleFolder
  readonly #blobs: () => BlobAccess

  /** @param options `folder`: of this job host alone */
  constructor(options: { readonly folder: string }, dependencies: { readonly blobs: () => BlobAccess }) {
    this.#folder = new BundleFolder({ directory: options.folder })
    this.#blobs = dependencies.blobs
  }

  /** URL of the module to evaluate. Rejects with `jobhost.bundle-unavailable` and errors of the bundle. */
  moduleUrl(job: JobInformation, address: string): Promise<string> {
    const { code } = job.program
    if (code.type === 'module') return Promise.resolve(code.url)
    const { blobKey } = code
    return this.#folder.use(job.jobId, blobKey, async file => {
      try {
        await this.#blobs().get(address, blobKey, file)
      } catch (error) {
        throw BundleUnavailable({ job: job.graph.name, blobKey }, error)
      }
    })
  }

  /** Nothing of the job runs here any more. Never rejects. */
  release(jobId: JobId): Promise<void> {
    return this.#folder.release(jobId)
  }
}
