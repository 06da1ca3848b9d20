import type { JobId } from '@flink-ts/common'
import type { CheckpointStatistics, JobDetails, JobResult, VertexAttempts } from '@flink-ts/gateways'
import type { JobMasterRunner } from './job-master-runner.ts'

/** A job that is over. */
export interface FinishedJob {
  readonly details: JobDetails
  readonly result: JobResult
  readonly checkpoints: CheckpointStatistics
  readonly attempts: readonly VertexAttempts[]
}

/** What is remembered of a job that has just ended. */
export function finishedJobOf(
  runner: Pick<JobMasterRunner, 'details' | 'checkpoints' | 'attempts'>,
  result: JobResult,
): FinishedJob {
  return {
    details: runner.details(),
    result,
    checkpoints: runner.checkpoints(),
    attempts: runner.attempts(),
  }
}

/** Remembers finished jobs, so many and so long. Owner: Dispatcher main thread. */
export class FinishedJobStore {
  readonly #capacity: number
  readonly #expirationMs: number
  readonly #onForgotten: (jobId: JobId) => void
  // In order of their end.
  readonly #jobs = new Map<JobId, FinishedJob & { readonly storedMs: number }>()

  /** @param options onForgotten: told of each that is not remembered any more */
  constructor(options: {
    readonly capacity: number
    readonly expirationMs: number
    readonly onForgotten?: (jobId: JobId) => void
  }) {
    this.#capacity = options.capacity
    this.#expirationMs = options.expirationMs
    this.#onForgotten = options.onForgotten ?? (() => {})
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
      this.#onForgotten(jobId)
    }
  }
}
