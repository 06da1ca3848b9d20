import { type SerializedError, serializeError } from '@flink-ts/common'
import type { CheckpointCounts } from '@flink-ts/gateways'
import type { JobGraph, JobStatus } from '@flink-ts/jobgraph'
import type { CheckpointMetadata } from '@flink-ts/state'
import { CheckpointExpired, CheckpointFailuresExceeded, SavepointFailed, StopFailed } from '../errors.ts'
import { AbortedFolders } from './aborted-folders.ts'
import type { CheckpointPlan } from './checkpoint-plan.ts'
import { keepsCheckpoints } from './cleaner.ts'
import { type CompletedCheckpoint, CompletedStore } from './completed-store.ts'
import type { CoordinatorAction, CoordinatorEvent } from './coordinator-protocol.ts'
import { FailureManager } from './failure-manager.ts'
import { PendingCheckpoint, stateSizeBytes } from './pending-checkpoint.ts'
import { type SavepointRequest, SavepointRequests } from './savepoint-requests.ts'
import { TaskTracker } from './task-tracker.ts'
import { TriggerSchedule } from './trigger-schedule.ts'

/** A snapshot that a job starts from. */
export interface RestoredSnapshot {
  /** URI of its folder. */
  readonly pointer: string
  readonly metadata: CheckpointMetadata
  /** It is the job's own: it goes when newer checkpoints have taken its place. Otherwise it stays. */
  readonly claimed: boolean
}

export interface CheckpointCoordinatorOptions {
  readonly graph: JobGraph
  /** Ids go on after its id. */
  readonly restored: RestoredSnapshot | undefined
}

/** Code of a task's answer when it cannot take part for now; packages of components don't import each other. */
const CHECKPOINT_NOT_POSSIBLE = 'taskmanager.checkpoint-not-possible'

/** The moment of an event. */
export interface EventTime {
  /** Milliseconds since the epoch. */
  readonly epochMs: number
  /** Of a clock that never goes back. */
  readonly monotonicMs: number
}

/**
 * Takes the checkpoints of one job: a state machine without I/O, facts in, actions out; it routes between the parts of
 * this folder, which decide. A checkpoint is complete when all tasks that ran when it was triggered have acknowledged
 * it in the same attempt and its metadata is stored. Ids grow strictly. What late, foreign or repeated messages bring
 * is ignored and discarded. Owner: JobMaster main thread.
 */
export class CheckpointCoordinator {
  readonly #graph: JobGraph
  readonly #restored: RestoredSnapshot | undefined
  /** Some operator has a coordinator, whose state comes first. */
  readonly #coordinated: boolean
  readonly #completed: CompletedStore
  readonly #failureManager: FailureManager
  readonly #tasks: TaskTracker
  readonly #triggers: TriggerSchedule
  readonly #pending = new Map<number, PendingCheckpoint>()
  readonly #savepoints = new SavepointRequests()
  readonly #folders = new AbortedFolders()
  readonly #counts = { triggered: 0, completed: 0, failed: 0, restored: 0 }
  #nextId: number
  #triggerTimerDueMs: number | undefined
  #over = false
  // Of the event being handled.
  #time: EventTime = { epochMs: 0, monotonicMs: 0 }
  #actions: CoordinatorAction[] = []

  constructor({ graph, restored }: CheckpointCoordinatorOptions) {
    this.#graph = graph
    this.#restored = restored
    this.#coordinated = graph.vertices.some(vertex => vertex.operators.some(({ coordinated }) => coordinated))
    this.#tasks = new TaskTracker(graph)
    this.#triggers = new TriggerSchedule(graph.checkpointing)
    this.#completed = new CompletedStore(graph.checkpointing.retained, restored)
    this.#failureManager = new FailureManager(graph.checkpointing.tolerableFailures)
    this.#nextId = (restored?.metadata.checkpointId ?? 0) + 1
  }

  /** What a (re)started task gets its state from. */
  get restorePoint(): CheckpointMetadata | undefined {
    return this.#completed.latest?.metadata ?? this.#restored?.metadata
  }

  get counts(): CheckpointCounts {
    const latest = this.#completed.latest
    return {
      ...this.#counts,
      inProgress: this.#pending.size,
      latestCompleted: latest && {
        id: latest.id,
        pointer: latest.pointer,
        stateBytes: latest.stateBytes,
        durationMs: latest.durationMs,
        timestamp: latest.metadata.timestamp,
      },
    }
  }

  handle(time: EventTime, event: CoordinatorEvent): readonly CoordinatorAction[] {
    this.#time = time
    this.#actions = []
    this.#route(event)
    this.#schedule()
    return this.#actions
  }

  #route(event: CoordinatorEvent): void {
    switch (event.type) {
      case 'tasks-deployed':
        if (this.restorePoint !== undefined) this.#counts.restored++
        this.#tasks.deployed(event.tasks)
        break
      case 'task-running':
        this.#tasks.update(event.attemptId, { state: 'running' })
        break
      case 'task-finished':
        this.#tasks.update(event.attemptId, { state: 'finished' })
        for (const pending of this.#collecting()) {
          if (pending.missing.has(event.attemptId)) this.#abort(pending, 'a task finished before it')
        }
        break
      case 'tasks-stopped':
        for (const attemptId of event.attemptIds) this.#tasks.update(attemptId, { state: 'stopped' })
        this.#triggers.restarted()
        this.#interrupted(false, 'tasks were stopped')
        break
      case 'end-of-data':
        this.#tasks.update(event.attemptId, { endOfData: true })
        break
      case 'acknowledged':
        this.#acknowledged(event.acknowledgement)
        break
      case 'task-waits':
        this.#pending.get(event.checkpointId)?.waits(event.attemptId, event.what)
        break
      case 'declined': {
        const { checkpointId, attemptId, reason } = event.decline
        const pending = this.#pending.get(checkpointId)
        if (pending === undefined || !pending.missing.has(attemptId)) break
        if (reason.code === CHECKPOINT_NOT_POSSIBLE) {
          // Nothing went wrong there: the task is about to end, or was late to start. It counts only as a pause.
          this.#abort(pending, reason.message)
          this.#triggers.failed(this.#time.monotonicMs)
        } else {
          this.#failed(pending, reason)
        }
        break
      }
      case 'savepoint-requested':
        this.#requested(event)
        break
      case 'coordinators-snapshotted': {
        const pending = this.#pending.get(event.checkpointId)
        if (pending?.takeCoordinators(event.states) === true) this.#triggerTasks(pending)
        break
      }
      case 'trigger-failed': {
        const pending = this.#pending.get(event.checkpointId)
        if (pending?.state === 'collecting') this.#failed(pending, event.reason)
        break
      }
      case 'stored':
        this.#stored(event)
        break
      case 'store-failed': {
        const pending = this.#pending.get(event.checkpointId)
        if (pending === undefined) this.#actAll(this.#folders.writingEnded(event.checkpointId))
        else this.#failed(pending, event.reason, 'nothing is being written')
        break
      }
      case 'timer':
        if (event.timer === 'trigger') this.#triggerTimerDueMs = undefined
        else this.#expired(Number(event.timer.slice('expire/'.length)))
        break
      case 'job-over':
        this.#jobOver(event.status)
        break
    }
  }

  // Trigger

  /** Triggers what is due and sets the timer for what is not yet. */
  #schedule(): void {
    const plan = this.#possiblePlan()
    const nowMs = this.#time.monotonicMs
    const { allEndOfData } = this.#tasks
    if (plan !== undefined && this.#savepoints.takeDrain())
      this.#act({ type: 'drain-sources', attemptIds: [...plan.acknowledge.keys()] })
    const savepoint =
      plan !== undefined && this.#pending.size === 0 ? this.#savepoints.take(allEndOfData) : undefined
    const pending = {
      count: this.#pending.size,
      coversEndOfData: [...this.#pending.values()].some(({ coversEndOfData }) => coversEndOfData),
    }
    const ready = plan !== undefined && !this.#savepoints.busy
    const decision = this.#triggers.next(ready, allEndOfData, pending, nowMs)
    if (plan !== undefined && (savepoint !== undefined || decision.type === 'trigger')) {
      const facts = { id: this.#nextId++, timestamp: this.#time.epochMs, startedMs: nowMs, plan, savepoint }
      const ended = this.#tasks.endedAttempts()
      this.#trigger(new PendingCheckpoint({ ...facts, coversEndOfData: allEndOfData, ended }))
      this.#schedule()
      return
    }
    const dueMs = decision.type === 'wait' ? nowMs + decision.delayMs : undefined
    if (dueMs === this.#triggerTimerDueMs) return
    this.#triggerTimerDueMs = dueMs
    if (decision.type === 'wait')
      this.#act({ type: 'set-timer', timer: 'trigger', delayMs: decision.delayMs })
    else this.#act({ type: 'cancel-timer', timer: 'trigger' })
  }

  #possiblePlan(): CheckpointPlan | undefined {
    const plan = this.#over ? undefined : this.#tasks.plan()
    const latest = this.#completed.latest
    // A task that finished without a checkpoint has no state to carry on: nothing to restore it from later.
    return plan?.finished.every(key => latest?.origins.has(key)) === true ? plan : undefined
  }

  #trigger(pending: PendingCheckpoint): void {
    const { id: checkpointId } = pending
    this.#pending.set(checkpointId, pending)
    this.#counts.triggered++
    this.#triggers.triggered(this.#time.monotonicMs)
    if (this.#coordinated) this.#act({ type: 'snapshot-coordinators', checkpointId })
    else this.#triggerTasks(pending)
    const { timeoutMs } = this.#graph.checkpointing
    this.#act({ type: 'set-timer', timer: `expire/${checkpointId}`, delayMs: timeoutMs })
  }

  #triggerTasks({ id: checkpointId, timestamp, plan, savepoint: request }: PendingCheckpoint): void {
    const savepoint = request !== undefined && { folder: request.folder, suspend: request.stop === 'suspend' }
    const trigger = { checkpointId, timestamp, savepoint }
    this.#act({ type: 'trigger', attemptIds: plan.trigger, trigger })
  }

  #requested({ requestId, folder, stop }: SavepointRequest): void {
    const plan = this.#tasks.plan()
    let reason: string | undefined
    if (this.#over) reason = 'the job is over'
    else if (this.#savepoints.stopping) reason = 'the job is being stopped by an earlier request'
    else if (plan === undefined) reason = 'not all tasks are running: try again when they do'
    else if (this.#possiblePlan() === undefined)
      reason =
        'tasks have finished and no checkpoint holds their state: only jobs that take checkpoints can do that ' +
        'at the end of their input'
    if (reason === undefined) {
      this.#savepoints.add({ requestId, folder, stop })
      return
    }
    this.#act({ type: 'savepoint-failed', requestId, error: serializeError(SavepointFailed({ reason })) })
  }

  // Completion

  #acknowledged({
    attemptId,
    checkpointId,
    state,
  }: Extract<CoordinatorEvent, { type: 'acknowledged' }>['acknowledgement']): void {
    const pending = this.#pending.get(checkpointId)
    if (pending === undefined) {
      this.#actAll(this.#folders.late(checkpointId))
      return
    }
    if (!pending.acknowledge(attemptId, state) || pending.state === 'collecting') return
    // This one holds all that older ones do; and what finished tasks carry over from the latest must not move now.
    for (const older of [...this.#pending.values()]) {
      if (older.id < checkpointId) this.#abort(older, `checkpoint ${checkpointId} has overtaken it`)
    }
    const metadata = pending.seal(this.#graph, this.#completed.latest)
    const folder = pending.savepoint?.folder
    this.#act({ type: 'store', metadata, ...(folder !== undefined && { savepoint: folder }) })
  }

  #stored(event: Extract<CoordinatorEvent, { type: 'stored' }>): void {
    const { checkpointId, pointer } = event
    const pending = this.#pending.get(checkpointId)
    if (pending === undefined) {
      this.#actAll(this.#folders.writingEnded(checkpointId))
      return
    }
    this.#pending.delete(checkpointId)
    this.#act({ type: 'cancel-timer', timer: `expire/${checkpointId}` })
    this.#counts.completed++
    const { savepoint } = pending
    if (savepoint !== undefined) {
      const answer = this.#savepoints.completed(pointer)
      if (answer !== undefined) this.#act(answer)
      // The job goes on: what was before it is not committed, since a failure goes back to an earlier checkpoint.
      if (savepoint.stop === 'no') return
    }
    const subsumed = this.#completed.add(this.#completedOf(pending, event))
    this.#failureManager.completed()
    this.#triggers.completed(this.#time.monotonicMs, pending.coversEndOfData)
    this.#act({ type: 'notify-complete', attemptIds: this.#tasks.living(pending.plan), checkpointId })
    // They end now: a checkpoint that waits for them would be in vain.
    const ending = savepoint === undefined ? pending.ended : pending.plan.acknowledge.keys()
    for (const attemptId of ending) this.#tasks.update(attemptId, { state: 'finishing' })
    this.#actAll(subsumed)
  }

  #completedOf(
    pending: PendingCheckpoint,
    { pointer, metadata: stored }: Extract<CoordinatorEvent, { type: 'stored' }>,
  ): CompletedCheckpoint {
    const { metadata, origins } = pending.sealed
    return {
      ...{ id: pending.id, pointer, origins, metadata: stored ?? metadata },
      stateBytes: stateSizeBytes(metadata),
      durationMs: this.#time.monotonicMs - pending.startedMs,
      external: pending.savepoint !== undefined,
    }
  }

  // Failure

  #expired(checkpointId: number): void {
    const pending = this.#pending.get(checkpointId)
    if (pending === undefined) return
    const { timeoutMs } = this.#graph.checkpointing
    const missing = pending.describeMissing(this.#graph)
    // All have acknowledged: the storage is what takes so long.
    const waitingFor = missing.length === 0 ? ['the checkpoint storage'] : missing
    this.#failed(pending, serializeError(CheckpointExpired({ checkpointId, timeoutMs, missing: waitingFor })))
  }

  #failed(pending: PendingCheckpoint, reason: SerializedError, writing?: 'nothing is being written'): void {
    this.#abort(pending, reason, writing)
    if (pending.savepoint !== undefined) return
    this.#triggers.failed(this.#time.monotonicMs)
    const failures = this.#failureManager.failed()
    if (failures === undefined) return
    const tolerable = this.#graph.checkpointing.tolerableFailures
    const error = CheckpointFailuresExceeded({ failures, tolerable, last: reason.message })
    this.#act({ type: 'fail-job', error: { ...serializeError(error), cause: reason } })
  }

  #abort(
    pending: PendingCheckpoint,
    reason: SerializedError | string,
    writing?: 'nothing is being written',
  ): void {
    const { id: checkpointId, savepoint } = pending
    const text = typeof reason === 'string' ? reason : reason.message
    this.#pending.delete(checkpointId)
    this.#counts.failed++
    this.#act({ type: 'cancel-timer', timer: `expire/${checkpointId}` })
    const attemptIds = this.#tasks.living(pending.plan)
    if (attemptIds.length > 0 || this.#coordinated) {
      this.#act({ type: 'notify-aborted', attemptIds, checkpointId, reason: text })
    }
    // The folder goes when nobody is about to write into it.
    const beingWritten = pending.state === 'storing' && writing === undefined
    this.#actAll(this.#folders.add(checkpointId, savepoint?.folder, beingWritten))
    if (savepoint === undefined) return
    const failure = serializeError(SavepointFailed({ reason: text.replace(/\.$/, '') }))
    const error = typeof reason === 'string' ? failure : { ...failure, cause: reason }
    this.#act(this.#savepoints.failed(error))
    // Its sources have ended: only a checkpoint from before brings them back.
    if (savepoint.stop === 'drain' && !this.#over && attemptIds.length > 0)
      this.#act({ type: 'fail-job', error })
  }

  /** Nothing that is under way can succeed any more. */
  #interrupted(finished: boolean, reason: string): void {
    for (const pending of [...this.#pending.values()]) this.#abort(pending, reason)
    const failure = (pointer: string | undefined): SerializedError =>
      serializeError(pointer === undefined ? SavepointFailed({ reason }) : StopFailed({ pointer, reason }))
    this.#actAll(this.#savepoints.interrupted(finished, failure))
  }

  #collecting(): readonly PendingCheckpoint[] {
    return [...this.#pending.values()].filter(pending => pending.state === 'collecting')
  }

  #jobOver(status: JobStatus): void {
    if (this.#over) return
    this.#over = true
    this.#interrupted(status === 'FINISHED', `the job is over: ${status}`)
    if (status === 'SUSPENDED') return
    this.#actAll(this.#folders.all())
    if (keepsCheckpoints(this.#graph.checkpointing.externalizedRetention, status)) return
    this.#actAll(this.#completed.discardAll())
    this.#act({ type: 'discard-job' })
  }

  #act(action: CoordinatorAction): void {
    this.#actions.push(action)
  }

  #actAll(actions: readonly CoordinatorAction[]): void {
    this.#actions.push(...actions)
  }
}
