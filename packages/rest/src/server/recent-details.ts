import type { Clock, JobId } from '@flink-ts/common'
import type { DispatcherGateway, JobDetails } from '@flink-ts/gateways'

/** Tasks tell their numbers about once a second. */
const RECENT_MS = 200

/**
 * Details of jobs for routes that are asked for many vertices at once, as the page does: those of a large job take
 * milliseconds to put together, so that what was put together just now is told again. Owner: the REST server.
 */
export class RecentDetails {
  readonly #dispatcher: Pick<DispatcherGateway, 'requestJobDetails'>
  readonly #clock: Clock
  readonly #recent = new Map<JobId, { readonly atMs: number; readonly details: Promise<JobDetails> }>()

  constructor(dependencies: {
    readonly dispatcher: Pick<DispatcherGateway, 'requestJobDetails'>
    readonly clock: Clock
  }) {
    this.#dispatcher = dependencies.dispatcher
    this.#clock = dependencies.clock
  }

  /** At most so old; rejects as `requestJobDetails` does. */
  of(jobId: JobId): Promise<JobDetails> {
    const nowMs = this.#clock.monotonicMs()
    for (const [id, { atMs }] of this.#recent) if (nowMs - atMs >= RECENT_MS) this.#recent.delete(id)
    const known = this.#recent.get(jobId)
    if (known !== undefined) return known.details
    const details = this.#dispatcher.requestJobDetails(jobId)
    this.#recent.set(jobId, { atMs: nowMs, details })
    // What went wrong once may go well at the next request.
    details.catch(() => {
      if (this.#recent.get(jobId)?.details === details) this.#recent.delete(jobId)
    })
    return details
  }
}
