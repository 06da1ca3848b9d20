import type { JobId } from '@flink-ts/common'
import type { CheckpointStatistics, JobDetails, JobResult, VertexAttempts } from '@flink-ts/gateways'

/** A job that is over. */
export interface FinishedJob {
  readonly details: JobDetails
  readonly result: JobResult
  readonly checkpoints: CheckpointStatistics
  readonly attempts: readonly VertexAttempts[]
}

/** Remembers finished jobs, so many and so long. Owner: Dispatcher main thread. */
export class FinishedJobStore {
  readonly #capacity: number
  readonly #expirationMs: number
  // In order of their end.
  readonly #jobs = new Map<JobId, FinishedJob & { readonly storedMs: number }>()

  constructor(options: { readonly capacity: number; readonly expirationMs: number }) {
    this.#capacity = options.capacity
    this.#expirationMs = options.expirationMs
  }

  /** @param nowMs of a clock that never goes back, here and below */
  add(jobId: JobId, job: FinishedJob, nowMs: number): void {
    this.#jobs.set(jobId, { ...job, storedMs: nowMs })
    this.#expire(nowMs)
  }

  get(jobId: JobId, nowMs: number): FinishedJob | undefined {
    this.#expire(nowMs)
    return this.#jobs.get(jobId)
  }

  list(nowMs: number): readonly FinishedJob[] {
    this.#expire(nowMs)
    return [...this.#jobs.values()]
  }

  #expire(nowMs: number): void {
    for (const [jobId, { storedMs }] of this.#jobs) {
      if (this.#jobs.size <= this.#capacity && nowMs - storedMs < this.#expirationMs) return
      this.#jobs.delete(jobId)
    }
  }
}
