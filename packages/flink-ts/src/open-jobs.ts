import type { JobClient } from '@flink-ts/jobgraph'

/** What a job of this process still needs: to be accepted by a cluster elsewhere, or to end in the one inside. */
export type Missing = 'submission' | 'end'

/** Jobs that nothing comes of if the process ends now. Owner: the main thread. */
export class OpenJobs {
  readonly #jobs = new Set<{ readonly name: string; readonly missing: Missing }>()

  /** Begins to count a job before anything is awaited; it counts no more when what it misses is there, or it failed. */
  async watch(name: string, missing: Missing, submission: () => Promise<JobClient>): Promise<JobClient> {
    const job = { name, missing }
    this.#jobs.add(job)
    const over = (): void => void this.#jobs.delete(job)
    try {
      const client = await submission()
      if (missing === 'submission') {
        over()
        return client
      }
      // Whoever asks for the result handles its failure.
      client.result().then(over, over)
      return {
        ...client,
        cancel: async () => {
          over()
          await client.cancel()
        },
      }
    } catch (error) {
      over()
      throw error
    }
  }

  /** By what they miss; of two kinds, those that were not even submitted. Undefined: there are none. */
  unfinished(): { readonly missing: Missing; readonly jobs: readonly string[] } | undefined {
    const jobs = [...this.#jobs]
    const missing = jobs.some(job => job.missing === 'submission') ? 'submission' : 'end'
    const names = jobs.filter(job => job.missing === missing).map(({ name }) => name)
    return names.length === 0 ? undefined : { missing, jobs: names }
  }
}
