import { type Clock, Deferred, type Logger, serializeError } from '@flink-ts/common'
import type { JobInformation, JobResult } from '@flink-ts/gateways'
import { JobSuspended } from '../errors.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import { bounded } from './bounded.ts'
import type { CheckpointActions } from './checkpoint-actions.ts'
import type { CheckpointIo } from './checkpoint-io.ts'
import type { JobEvents } from './job-events.ts'
import { describeResult } from './job-result.ts'
import type { ProgressRecorder } from './progress-recorder.ts'
import { type RecordedEnd, recordedEnd } from './recorded-end.ts'

/** How long the end of a job waits for storage and TaskManagers to be cleaned up. */
const CLEANUP_TIMEOUT_MS = 10_000

interface JobEndingDependencies {
  readonly clock: Clock
  readonly logger: Logger
  readonly scheduler: JobScheduler
  readonly events: JobEvents
  readonly checkpointActions: CheckpointActions
  /** Undefined: the job was never initialized. */
  readonly io: () => CheckpointIo | undefined
  /** Undefined: the job does not outlive this process. */
  readonly progress: ProgressRecorder | undefined
  /** What is kept of the job for those who ask later. */
  readonly outcome: (result: JobResult) => unknown
  /** Ends the coordinators. Never rejects. */
  readonly closeCoordinators: () => Promise<void>
  /** Tells TaskManagers that the job is over. Never rejects. */
  readonly farewells: () => Promise<unknown>
  /** Nobody comes in any more. */
  readonly disconnect: (reason: string) => void
  readonly onTerminal: ((result: JobResult) => void) | undefined
}

/**
 * How a job ends: its end is recorded before anything is done for it, what it kept is cleaned up in bounded time, and
 * only then its result is known. Owner: JobMaster main thread.
 */
export class JobEnding {
  /** `close` was called. */
  readonly closing = new Deferred<void>()
  readonly #job: JobInformation
  readonly #deps: JobEndingDependencies
  readonly #result = new Deferred<JobResult>()
  #end: RecordedEnd | undefined

  constructor(job: JobInformation, dependencies: JobEndingDependencies) {
    this.#job = job
    this.#deps = dependencies
  }

  /** Whether the result is known. */
  get isKnown(): boolean {
    return this.#result.settled
  }

  /** Settles when the job is over and cleaned up; never rejects. */
  get result(): Promise<JobResult> {
    return this.#result.promise
  }

  /** Begins to record how the job ended; undefined: nothing is recorded. */
  record(): Promise<boolean> | undefined {
    const { scheduler, events, clock, io, progress, outcome } = this.#deps
    return progress?.over(() => {
      const result = describeResult(scheduler)
      const end = recordedEnd({
        result,
        outcome: outcome(result),
        endedAt: clock.now(),
        directory: io() === undefined ? undefined : this.#job.checkpointDirectory,
        folders: events.coordinator.leftovers(scheduler.status),
      })
      this.#end = end
      return end
    })
  }

  /** All tasks are over. */
  terminated(): void {
    const { scheduler, events } = this.#deps
    // First: what is done for the end must not be done if it does not count.
    void this.record() // Never rejects.
    events.coordinate({ type: 'job-over', status: scheduler.status })
    events.afterwards(() => {
      // Handles its own errors; the result tells when it is done.
      void this.#finish()
    })
  }

  /** The JobManager stops after the job has ended by itself, which cleans up in bounded time: that is its result. */
  async closeEnded(): Promise<void> {
    const { progress } = this.#deps
    if (progress !== undefined) await this.#bounded(this.record() as Promise<boolean>)
    progress?.stop()
    this.closing.resolve()
    await this.#result.promise
  }

  /** The JobManager stops, the job does not: its checkpoints stay. */
  async suspend(): Promise<void> {
    const { events, io, closeCoordinators } = this.#deps
    this.closing.resolve()
    if (this.isKnown) return
    events.coordinate({ type: 'job-over', status: 'SUSPENDED' })
    await this.#bounded(Promise.all([io()?.drain(), closeCoordinators()]))
    this.#suspended()
  }

  async #finish(): Promise<void> {
    const { scheduler, checkpointActions, io, progress, closeCoordinators, farewells } = this.#deps
    if ((await this.record()) === false) {
      // Another leader goes on with the job: nobody hears of this end.
      await this.closing.promise
      await this.#bounded(closeCoordinators())
      this.#suspended()
      return
    }
    const cleanUp = checkpointActions.discardJob ? io()?.discardJob() : io()?.drain()
    await this.#bounded(Promise.all([cleanUp, closeCoordinators(), farewells()]))
    if (this.#end?.leftovers !== undefined) await this.#bounded(progress!.cleaned(this.#end))
    this.#deps.disconnect(`job ${scheduler.status.toLowerCase()}`)
    if (this.isKnown) return
    const result = describeResult(scheduler)
    this.#result.resolve(result)
    this.#deps.onTerminal?.(result)
  }

  #suspended(): void {
    if (this.isKnown) return
    const error = serializeError(JobSuspended({ jobId: this.#job.jobId }))
    this.#result.resolve({ status: 'FAILED', jobId: this.#job.jobId, error })
  }

  /** Waits for `work`, but not for ever: a storage that hangs must not hide how the job ended. */
  #bounded(work: Promise<unknown>): Promise<void> {
    const { clock, logger } = this.#deps
    return bounded(work, CLEANUP_TIMEOUT_MS, clock, () =>
      logger.warn({ timeoutMs: CLEANUP_TIMEOUT_MS }, 'Clean-up goes on in the background'),
    )
  }
}
