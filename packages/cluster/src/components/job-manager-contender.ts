import type { Configuration } from '@flink-ts/common'
import type { HighAvailability, KeptBlobs, LeaderContender, LeaderTerm } from '@flink-ts/highavailability'
import {
  type JobManagerComponents,
  type JobManagerComponentsDependencies,
  startJobManagerComponents,
} from './job-manager-components.ts'

export interface JobManagerContenderDependencies extends JobManagerComponentsDependencies {
  readonly blobs: KeptBlobs
  readonly highAvailability: HighAvailability
}

/**
 * What a JobManager process does while it leads: all components, with the jobs of the leaders before it. They end with
 * the term; the process stays and may lead again. Owner: main thread; calls come one after the other.
 */
export class JobManagerContender implements LeaderContender {
  readonly #configuration: Configuration
  readonly #deps: JobManagerContenderDependencies
  #components: JobManagerComponents | undefined

  constructor(
    options: { readonly configuration: Configuration },
    dependencies: JobManagerContenderDependencies,
  ) {
    this.#configuration = options.configuration
    this.#deps = dependencies
  }

  async granted(term: LeaderTerm): Promise<void> {
    const { highAvailability, blobs, logger } = this.#deps
    const store = highAvailability.jobs(term, { blobs, logger })
    const found = await store.list()
    for (const { jobId, blobKeys } of found) {
      for (const key of blobKeys) blobs.keep(key, () => store.readBlob(jobId, key))
    }
    term.check()
    const { leaderSessionId } = term
    this.#components = startJobManagerComponents(
      { configuration: this.#configuration, term: { leaderSessionId, store, found } },
      this.#deps,
    )
  }

  async revoked(): Promise<void> {
    const components = this.#components
    this.#components = undefined
    await components?.close()
  }
}
