import type { Clock, Logger } from '@flink-ts/common'
import type { JobStatus } from '@flink-ts/jobgraph'
import type { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts'
import type { CoordinatorAction, CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import type { SchedulerAction, SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import { EventQueue } from './event-queue.ts'

/** Does what is decided. */
export interface JobActions {
  perform(action: SchedulerAction): void
  performCheckpoint(action: CoordinatorAction): void
  /** All tasks are about to start again from a checkpoint. */
  globalFailure(): void
}

/**
 * Brings events to the two state machines of a job, one after the other, and their decisions to those who act. Owner:
 * JobMaster main thread.
 */
export class JobEvents {
  readonly scheduler: JobScheduler
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #queue = new EventQueue()
  #coordinator: CheckpointCoordinator
  /** Set before the first event. */
  #actions!: JobActions

  constructor(
    scheduler: JobScheduler,
    coordinator: CheckpointCoordinator,
    dependencies: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.scheduler = scheduler
    this.#coordinator = coordinator
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
  }

  get coordinator(): CheckpointCoordinator {
    return this.#coordinator
  }

  /** Called once, before the first event. */
  connect(actions: JobActions): void {
    this.#actions = actions
  }

  /** The job starts from a snapshot: nothing has happened yet. */
  startFrom(coordinator: CheckpointCoordinator): void {
    this.#coordinator = coordinator
  }

  schedule(event: SchedulerEvent): void {
    this.#queue.add(() => {
      if (event.type === 'global-failure') this.#actions.globalFailure()
      const before = this.scheduler.status
      const actions = this.scheduler.handle(this.#clock.now(), event)
      this.#logStatus(before, this.scheduler.status)
      for (const action of actions) this.#actions.perform(action)
    })
  }

  coordinate(event: CoordinatorEvent): void {
    this.#queue.add(() => {
      const time = { epochMs: this.#clock.now(), monotonicMs: this.#clock.monotonicMs() }
      for (const action of this.#coordinator.handle(time, event)) this.#actions.performCheckpoint(action)
    })
  }

  /** Does the work after all events so far. */
  afterwards(work: () => void): void {
    this.#queue.add(work)
  }

  #logStatus(before: JobStatus, after: JobStatus): void {
    if (before === after) return
    const { restarts, latestError } = this.scheduler
    const failed = after === 'RESTARTING' || after === 'FAILING' || after === 'FAILED'
    const fields = { from: before, to: after, restarts, ...(failed ? { error: latestError } : {}) }
    this.#logger.info(fields, 'Job changed state')
  }
}
