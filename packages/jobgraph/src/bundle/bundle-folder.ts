import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { extractBundle } from './extract-bundle.ts'
import { findRuntimeModuleDirs } from './runtime-modules.ts'

/** So many bundles that no job uses now are kept: the next job often has the same program. */
const UNUSED_KEPT = 4

interface KeptBundle {
  readonly moduleUrl: Promise<string>
  readonly users: Set<string>
}

/**
 * Unpacked bundles of one process: fetched once, kept while jobs use them, and the latest few beyond that. Owner: the
 * process's main thread.
 */
export class BundleFolder {
  readonly #directory: string
  /** By blob key, those used last at the end; failed ones are removed. */
  readonly #bundles = new Map<string, KeptBundle>()
  #unpacked = 0

  /** @param options `directory`: a folder of this process alone */
  constructor(options: { readonly directory: string }) {
    this.#directory = options.directory
  }

  /**
   * URL of the module to evaluate; the job uses the bundle until {@link release}.
   * @param fetch writes the bundle into a file; its error is that of this call
   */
  use(jobId: string, blobKey: string, fetch: (file: string) => Promise<void>): Promise<string> {
    const known = this.#bundles.get(blobKey)
    const bundle = known ?? { moduleUrl: this.#fetch(blobKey, fetch), users: new Set() }
    bundle.users.add(jobId)
    this.#bundles.delete(blobKey)
    this.#bundles.set(blobKey, bundle)
    if (known === undefined)
      bundle.moduleUrl.catch(() => {
        if (this.#bundles.get(blobKey) === bundle) this.#bundles.delete(blobKey)
      })
    return bundle.moduleUrl
  }

  /** Nothing of the job runs in this process any more. Resolves when what is not kept is removed; never rejects. */
  async release(jobId: string): Promise<void> {
    for (const { users } of this.#bundles.values()) users.delete(jobId)
    const unused = [...this.#bundles].filter(([, { users }]) => users.size === 0)
    const removed = unused.slice(0, Math.max(0, unused.length - UNUSED_KEPT))
    for (const [blobKey] of removed) this.#bundles.delete(blobKey)
    // What cannot be removed goes with the folder, when the process ends.
    await Promise.allSettled(
      removed.map(async ([, { moduleUrl }]) =>
        rm(new URL('.', await moduleUrl), { recursive: true, force: true }),
      ),
    )
  }

  async #fetch(blobKey: string, fetch: (file: string) => Promise<void>): Promise<string> {
    // A name of its own: the same bundle may just be being removed.
    const target = join(this.#directory, `${blobKey}-${this.#unpacked++}`)
    const file = `${target}.tgz`
    try {
      await fetch(file)
      const { moduleUrl } = await extractBundle(file, target, { runtimeModuleDirs: findRuntimeModuleDirs() })
      return moduleUrl
    } finally {
      await rm(file, { force: true })
    }
  }
}
