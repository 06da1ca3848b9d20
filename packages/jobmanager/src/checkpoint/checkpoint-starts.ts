import { serializeError } from '@flink-ts/common'
import { SavepointFailed } from '../errors.ts'
import type { CheckpointPlan } from './checkpoint-plan.ts'
import type { CoordinatorState } from './coordinator-state.ts'
import { PendingCheckpoint } from './pending-checkpoint.ts'
import type { SavepointRequest } from './savepoint-requests.ts'

/** Begins checkpoints and savepoints. Owner: the coordinator. */
export class CheckpointStarts {
  readonly #state: CoordinatorState
  #triggerTimerDueMs: number | undefined

  constructor(state: CoordinatorState) {
    this.#state = state
  }

  /** The timer for the next trigger is due. */
  timerFired(): void {
    this.#triggerTimerDueMs = undefined
  }

  /** Triggers what is due and sets the timer for what is not yet. */
  schedule(): void {
    const plan = this.#possiblePlan()
    const nowMs = this.#state.time.monotonicMs
    const { allEndOfData } = this.#state.tasks
    const alone = this.#state.pending.size === 0
    // Not beside a checkpoint: a source that takes it after its end would go with it, before the savepoint.
    if (plan !== undefined && alone && this.#state.savepoints.takeDrain())
      this.#state.act({ type: 'drain-sources', attemptIds: [...plan.acknowledge.keys()] })
    const savepoint =
      plan !== undefined && alone ? this.#state.savepoints.take(allEndOfData, nowMs) : undefined
    const pending = {
      count: this.#state.pending.size,
      coversEndOfData: [...this.#state.pending.values()].some(({ coversEndOfData }) => coversEndOfData),
    }
    const ready = plan !== undefined && !this.#state.savepoints.busy
    const decision = this.#state.triggers.next(ready, allEndOfData, pending, nowMs)
    // Taken along by the next periodic one too: where they overlap, there may never be none under way.
    const begins = ready && (alone || decision.type === 'trigger')
    const byHand = begins ? this.#state.byHand.splice(0) : []
    const due = savepoint !== undefined || byHand.length > 0 || decision.type === 'trigger'
    if (plan !== undefined && due) {
      const facts = {
        id: this.#state.nextId++,
        timestamp: this.#state.time.epochMs,
        startedMs: nowMs,
        plan,
        savepoint,
        requests: byHand,
      }
      const ended = this.#state.tasks.endedAttempts()
      this.#trigger(new PendingCheckpoint({ ...facts, coversEndOfData: allEndOfData, ended }))
      this.schedule()
      return
    }
    const delayMs = decision.type === 'wait' ? decision.delayMs : this.#state.savepoints.pauseMs(nowMs)
    const dueMs = delayMs === undefined ? undefined : nowMs + delayMs
    if (dueMs === this.#triggerTimerDueMs) return
    this.#triggerTimerDueMs = dueMs
    if (delayMs !== undefined) this.#state.act({ type: 'set-timer', timer: 'trigger', delayMs })
    else this.#state.act({ type: 'cancel-timer', timer: 'trigger' })
  }

  #possiblePlan(): CheckpointPlan | undefined {
    const plan = this.#state.over ? undefined : this.#state.tasks.plan()
    const latest = this.#state.completed.latest
    // A task that finished without a checkpoint has no state to carry on: nothing to restore it from later.
    return plan?.finished.every(key => latest?.origins.has(key)) === true ? plan : undefined
  }

  #trigger(pending: PendingCheckpoint): void {
    const { id: checkpointId } = pending
    this.#state.pending.set(checkpointId, pending)
    this.#state.history.triggered(pending)
    this.#state.triggers.triggered(this.#state.time.monotonicMs)
    if (this.#state.coordinated) this.#state.act({ type: 'snapshot-coordinators', checkpointId })
    else this.triggerTasks(pending)
    const { timeoutMs } = this.#state.graph.checkpointing
    this.#state.act({ type: 'set-timer', timer: `expire/${checkpointId}`, delayMs: timeoutMs })
  }

  /** Lets the tasks begin. */
  triggerTasks({ id: checkpointId, timestamp, plan, savepoint: request }: PendingCheckpoint): void {
    const savepoint = request !== undefined && { folder: request.folder, suspend: request.stop === 'suspend' }
    const trigger = { checkpointId, timestamp, savepoint }
    this.#state.act({ type: 'trigger', attemptIds: plan.trigger, trigger })
  }

  /** Queues a checkpoint, or says why there will be none. */
  requestedByHand(requestId: string): void {
    const { graph, byHand } = this.#state
    const reason =
      graph.checkpointing.intervalMs === undefined
        ? 'the job takes no checkpoints: take a savepoint, or set execution.checkpointing.interval'
        : this.#refusal()
    if (reason === undefined) byHand.push(requestId)
    else this.#refuse(requestId, reason)
  }

  /** Queues a savepoint, or says why there will be none. */
  requested({ requestId, folder, stop }: SavepointRequest): void {
    const reason = this.#refusal()
    if (reason === undefined) this.#state.savepoints.add({ requestId, folder, stop })
    else this.#refuse(requestId, reason)
  }

  #refusal(): string | undefined {
    if (this.#state.over) return 'the job is over'
    if (this.#state.savepoints.stopping) return 'the job is being stopped by an earlier request'
    if (this.#state.tasks.plan() === undefined) return 'not all tasks are running: try again when they do'
    if (this.#possiblePlan() !== undefined) return undefined
    return (
      'tasks have finished and no checkpoint holds their state: only jobs that take checkpoints can do that ' +
      'at the end of their input'
    )
  }

  #refuse(requestId: string, reason: string): void {
    const error = serializeError(SavepointFailed({ reason }))
    this.#state.act({ type: 'savepoint-failed', requestId, error })
  }
}
