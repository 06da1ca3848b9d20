import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isFlinkError, type Logger, type Random } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import { extractBundle, findRuntimeModuleDirs } from '@flink-ts/jobgraph'
import type { BlobAccess } from '@flink-ts/rpc'
import { BundleUnavailable } from '../errors.ts'
import { retryWithBackoff } from './backoff.ts'

/** Gives the code of jobs. */
export interface BundleCache {
  /** URL of the module to evaluate. Rejects with `taskmanager.bundle-unavailable` and errors of the bundle. */
  moduleUrl(job: JobInformation): Promise<string>
}

const BACKOFF = { initialMs: 50, maxMs: 500 }
const FETCH_TIMEOUT_MS = 5000

interface BundleCacheDependencies {
  readonly blobs: BlobAccess
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Bundles fetched from the JobManager, unpacked once for the process and kept as long as its folder is. */
export class BlobBundleCache implements BundleCache {
  readonly #directory: string
  readonly #ports: BundleCacheDependencies
  /** By blob key; failed ones are removed. */
  readonly #bundles = new Map<string, Promise<string>>()

  /** @param options `directory`: a folder of this process alone */
  constructor(options: { readonly directory: string }, dependencies: BundleCacheDependencies) {
    this.#directory = options.directory
    this.#ports = dependencies
  }

  moduleUrl(job: JobInformation): Promise<string> {
    const { code } = job.program
    if (code.type === 'module') return Promise.resolve(code.url)
    const { blobKey } = code
    let bundle = this.#bundles.get(blobKey)
    if (bundle === undefined) {
      bundle = this.#fetch(job, blobKey)
      this.#bundles.set(blobKey, bundle)
      bundle.catch(() => this.#bundles.delete(blobKey))
    }
    return bundle
  }

  async #fetch(job: JobInformation, blobKey: string): Promise<string> {
    const { blobs, clock } = this.#ports
    const file = join(this.#directory, `${blobKey}.tgz`)
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
    const target = join(this.#directory, blobKey)
    const { moduleUrl } = await extractBundle(file, target, { runtimeModuleDirs: findRuntimeModuleDirs() })
    await rm(file, { force: true })
    return moduleUrl
  }
}
