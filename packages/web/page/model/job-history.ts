import type { Job } from '../api/shapes.ts'
import { type Rates, ratesBetween } from './rates.ts'

/** Rates at a moment, by vertex. */
export interface Sample {
  readonly at: number
  readonly rates: ReadonlyMap<string, Rates>
}

/** What a page has seen of a job. */
export interface JobHistory {
  readonly jobId: string
  readonly last: Job
  /** Oldest first. */
  readonly samples: readonly Sample[]
}

/** Ten minutes at the usual refresh interval. */
const MAX_SAMPLES = 200

/** Adds what a job says now; another job begins anew. */
export function withJob(history: JobHistory | undefined, job: Job): JobHistory {
  if (history?.jobId !== job.jid) return { jobId: job.jid, last: job, samples: [] }
  const { last, samples } = history
  const before = new Map(last.vertices.map(vertex => [vertex.id, vertex]))
  const rates = new Map<string, Rates>()
  for (const vertex of job.vertices) {
    const earlier = before.get(vertex.id)
    const since =
      earlier &&
      ratesBetween({ at: last.now, metrics: earlier.metrics }, { at: job.now, metrics: vertex.metrics })
    if (since !== undefined) rates.set(vertex.id, since)
  }
  // Two looks at the same moment tell nothing: the next one is compared with the earlier of them.
  if (rates.size === 0 && job.now - last.now < 200) return history
  return { jobId: job.jid, last: job, samples: [...samples, { at: job.now, rates }].slice(-MAX_SAMPLES) }
}
