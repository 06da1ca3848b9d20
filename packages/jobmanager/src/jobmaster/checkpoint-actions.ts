import type { Logger } from '@flink-ts/common'
import type { CheckpointCounts } from '@flink-ts/gateways'
import type { CoordinatorAction, CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import type { SavepointAnswer } from '../checkpoint/savepoint-requests.ts'
import type { JobCoordinators } from '../coordination/job-coordinators.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { CheckpointIo } from './checkpoint-io.ts'
import type { JobTimers } from './job-timers.ts'
import type { TaskCalls } from './task-calls.ts'

/** What {@link CheckpointActions} needs of its JobMaster. */
export interface CheckpointActionsPort {
  readonly logger: Logger
  readonly tasks: TaskCalls
  readonly coordinators: JobCoordinators
  readonly timers: JobTimers
  /** Undefined: the job has not begun. */
  io(): CheckpointIo | undefined
  counts(): CheckpointCounts
  schedule(event: SchedulerEvent): void
  coordinate(event: CoordinatorEvent): void
  /** Somebody waits for it. */
  answered(answer: SavepointAnswer): void
}

/** Does what the CheckpointCoordinator says. Owner: JobMaster main thread. */
export class CheckpointActions {
  readonly #port: CheckpointActionsPort
  #discardJob = false

  constructor(port: CheckpointActionsPort) {
    this.#port = port
  }

  /** The folder of the job is to be removed when everything else is done. */
  get discardJob(): boolean {
    return this.#discardJob
  }

  perform(action: CoordinatorAction): void {
    const { logger, tasks, coordinators, timers, coordinate } = this.#port
    switch (action.type) {
      case 'snapshot-coordinators':
        coordinators.snapshot(action.checkpointId)
        break
      case 'trigger': {
        const { checkpointId } = action.trigger
        logger.debug({ checkpointId }, 'Checkpoint triggered')
        tasks.tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.triggerCheckpoint(attemptIds, action.trigger),
          reason => coordinate({ type: 'trigger-failed', checkpointId, reason }),
        )
        break
      }
      case 'store':
        this.#port.io()?.store(action.metadata, action.savepoint)
        break
      case 'drain-sources':
        tasks.tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.drainSources(attemptIds),
          error => this.#port.schedule({ type: 'global-failure', error }),
        )
        break
      case 'savepoint-completed':
      case 'checkpoint-completed':
      case 'savepoint-failed':
        this.#port.answered(action)
        break
      case 'notify-complete': {
        const { checkpointId, slowest } = action
        const { latestCompleted } = this.#port.counts()
        logger.info(
          { checkpointId, ...latestCompleted, ...(slowest !== undefined && { slowest }) },
          'Checkpoint complete',
        )
        coordinators.notifyComplete(checkpointId)
        tasks.tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.notifyCheckpointComplete(attemptIds, checkpointId),
          error => {
            logger.warn({ checkpointId, error }, 'Completion not delivered')
            // A later one tells those that go on; those that wait for this one to end would wait for ever.
            if (action.last) this.#port.schedule({ type: 'global-failure', error })
          },
        )
        break
      }
      case 'notify-aborted': {
        const { checkpointId, reason } = action
        logger.info({ checkpointId, reason }, 'Checkpoint aborted')
        coordinators.notifyAborted(checkpointId)
        tasks.tell(
          action.attemptIds,
          (gateway, attemptIds) => gateway.notifyCheckpointAborted(attemptIds, checkpointId),
          error => logger.debug({ checkpointId, error }, 'Abortion not delivered'),
        )
        break
      }
      case 'discard':
        this.#port.io()?.discard(action)
        break
      case 'retire':
        this.#port.io()?.retire(action.checkpointId)
        break
      case 'discard-job':
        this.#discardJob = true
        break
      case 'set-timer':
        timers.set(action.timer, action.delayMs, () => coordinate({ type: 'timer', timer: action.timer }))
        break
      case 'cancel-timer':
        timers.cancel(action.timer)
        break
      case 'fail-job':
        this.#port.schedule({ type: 'global-failure', error: action.error })
        break
      case 'restart-all':
        this.#port.schedule({ type: 'restart-all' })
        break
    }
  }
}
