import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobInformation } from '@flink-ts/gateways'
import { extractBundle, findRuntimeModuleDirs } from '@flink-ts/jobgraph'
import type { BlobAccess } from '@flink-ts/rpc'
import { BundleUnavailable } from '../errors.ts'

/** Code of jobs, fetched and unpacked once for the process. Owner: main thread of the job host. */
export class JobBundles {
  readonly #folder: string
  readonly #blobs: () => BlobAccess
  /** By blob key; failed ones are removed. */
  readonly #bundles = new Map<string, Promise<string>>()

  /** @param options `folder`: of this job host alone */
  constructor(options: { readonly folder: string }, dependencies: { readonly blobs: () => BlobAccess }) {
    this.#folder = options.folder
    this.#blobs = dependencies.blobs
  }

  /** URL of the module to evaluate. Rejects with `jobhost.bundle-unavailable` and errors of the bundle. */
  moduleUrl(job: JobInformation, address: string): Promise<string> {
    const { code } = job.program
    if (code.type === 'module') return Promise.resolve(code.url)
    const { blobKey } = code
    const known = this.#bundles.get(blobKey)
    if (known !== undefined) return known
    const bundle = this.#fetch(job, blobKey, address)
    this.#bundles.set(blobKey, bundle)
    bundle.catch(() => this.#bundles.delete(blobKey))
    return bundle
  }

  async #fetch(job: JobInformation, blobKey: string, address: string): Promise<string> {
    const file = join(this.#folder, `${blobKey}.tgz`)
    try {
      await this.#blobs().get(address, blobKey, file)
    } catch (error) {
      throw BundleUnavailable({ job: job.graph.name, blobKey }, error)
    }
    const target = join(this.#folder, blobKey)
    const { moduleUrl } = await extractBundle(file, target, { runtimeModuleDirs: findRuntimeModuleDirs() })
    await rm(file, { force: true })
    return moduleUrl
  }
}
