import type { IoMetrics, Job } from '../api/shapes.ts'
import { type Rates, ratesBetween } from './rates.ts'

/** Rates at a moment, by vertex. */
interface Sample {
  readonly at: number
  readonly rates: ReadonlyMap<string, Rates>
}

/** What a page has seen of a job. */
export interface JobHistory {
  readonly jobId: string
  readonly last: Job
  /** Since the tasks run: what is known before there are two looks. */
  readonly sinceStart: ReadonlyMap<string, Rates>
  /** Oldest first. */
  readonly samples: readonly Sample[]
}

/** Ten minutes at the usual refresh interval. */
const MAX_SAMPLES = 200

/** Adds what a job says now; another job begins anew. */
export function withJob(history: JobHistory | undefined, job: Job): JobHistory {
  if (history?.jobId !== job.jid)
    return { jobId: job.jid, last: job, sinceStart: ratesSinceStart(job), samples: [] }
  const { last, sinceStart, samples } = history
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
  return {
    jobId: job.jid,
    last: job,
    sinceStart,
    samples: [...samples, { at: job.now, rates }].slice(-MAX_SAMPLES),
  }
}

/** Rates of a job now, or since its start when it has been looked at only once. */
export function latestRates({ samples, sinceStart }: JobHistory): ReadonlyMap<string, Rates> {
  return samples.at(-1)?.rates ?? sinceStart
}

function ratesSinceStart(job: Job): ReadonlyMap<string, Rates> {
  const rates = new Map<string, Rates>()
  for (const { id, metrics, 'start-time': startedAt } of job.vertices) {
    if (startedAt < 0) continue
    const nothing = Object.fromEntries(Object.keys(metrics).map(name => [name, 0])) as unknown as IoMetrics
    const since = ratesBetween({ at: startedAt, metrics: nothing }, { at: job.now, metrics })
    if (since !== undefined) rates.set(id, since)
  }
  return rates
}
