import type { CheckpointCounts, CheckpointStatistics } from '@flink-ts/gateways'
import type { JobGraph, JobStatus } from '@flink-ts/jobgraph'
import type { CheckpointMetadata } from '@flink-ts/state'
import type { DiscardAction } from './aborted-folders.ts'
import { CheckpointEnds } from './checkpoint-ends.ts'
import { CheckpointStarts } from './checkpoint-starts.ts'
import { keepsCheckpoints } from './cleaner.ts'
import type { CoordinatorAction, CoordinatorEvent } from './coordinator-protocol.ts'
import {
  CoordinatorState,
  type EventTime,
  type RecoveredCheckpoints,
  type RestoredSnapshot,
} from './coordinator-state.ts'

export interface CheckpointCoordinatorOptions {
  readonly graph: JobGraph
  /** Ids go on after its id. */
  readonly restored: RestoredSnapshot | undefined
  /** The job goes on from where a former JobMaster has left it; then there is nothing else to start from. */
  readonly recovered?: RecoveredCheckpoints | undefined
  /** How many checkpoints are remembered for people to look at; 10 if absent. */
  readonly maxHistory?: number
}

/** A checkpoint whose metadata is durable. */
export type StoredCheckpoint = Omit<Extract<CoordinatorEvent, { type: 'stored' }>, 'type'>

/** Code of a task's answer when it cannot take part for now; packages of components don't import each other. */
const CHECKPOINT_NOT_POSSIBLE = 'taskmanager.checkpoint-not-possible'
const DEFAULT_MAX_HISTORY = 10

/**
 * Takes the checkpoints of one job: a state machine without I/O, facts in, actions out; it routes between the parts of
 * this folder, which decide. A checkpoint is complete when all tasks that ran when it was triggered have acknowledged
 * it in the same attempt and its metadata is stored. Ids grow strictly. What late, foreign or repeated messages bring
 * is ignored and discarded. Owner: JobMaster main thread.
 */
export class CheckpointCoordinator {
  readonly #snapshot: RestoredSnapshot | undefined
  readonly #state: CoordinatorState
  readonly #starts: CheckpointStarts
  readonly #ends: CheckpointEnds

  constructor({
    graph,
    restored,
    recovered,
    maxHistory = DEFAULT_MAX_HISTORY,
  }: CheckpointCoordinatorOptions) {
    this.#snapshot = restored
    this.#state = new CoordinatorState(graph, restored, maxHistory, recovered)
    this.#starts = new CheckpointStarts(this.#state)
    this.#ends = new CheckpointEnds(this.#state)
  }

  /** What a (re)started task gets its state from. */
  get restorePoint(): CheckpointMetadata | undefined {
    return this.#state.completed.latest?.metadata ?? this.#snapshot?.metadata
  }

  /**
   * What TaskManagers keep of unfinished files when the job has ended so: those of snapshots up to this one. Undefined:
   * none. A savepoint counts, since its user may go on from it at any time.
   */
  retainedCheckpointId(status: JobStatus): number | undefined {
    const { graph, latestSavepointId } = this.#state
    const kept = keepsCheckpoints(graph.checkpointing.externalizedRetention, status)
    const ids = [kept ? this.restorePoint?.checkpointId : undefined, latestSavepointId]
    return ids.reduce((latest, id) => (id === undefined ? latest : Math.max(latest ?? id, id)), undefined)
  }

  /** Folders of checkpoints of former JobMasters that do not count. */
  get abandonedFolders(): readonly DiscardAction[] {
    return this.#state.abandonedFolders()
  }

  /** Ids from this one on are unused. */
  get nextId(): number {
    return this.#state.nextId
  }

  /**
   * What another JobMaster would need to go on with the job.
   * @param stored a checkpoint that counts as soon as the coordinator hears of it, if it is still wanted then
   */
  content(stored?: StoredCheckpoint): Omit<RecoveredCheckpoints, 'nextId'> {
    const pending = stored && this.#state.pending.get(stored.checkpointId)
    const { completed, latestSavepointId, abandoned } = this.#state
    if (pending === undefined) return { ...completed.content(), latestSavepointId, abandoned }
    const added =
      pending.savepoint?.stop === 'no'
        ? undefined
        : this.#ends.completedOf(pending, stored as StoredCheckpoint)
    return {
      ...completed.content(added),
      abandoned,
      latestSavepointId: pending.savepoint === undefined ? latestSavepointId : pending.id,
    }
  }

  /** What is to be removed when the job has ended so; undefined: its checkpoints are kept. */
  leftovers(status: JobStatus): readonly DiscardAction[] | undefined {
    const { graph, completed, folders } = this.#state
    if (keepsCheckpoints(graph.checkpointing.externalizedRetention, status)) return undefined
    return [...folders.all(), ...completed.own(), ...this.#state.abandonedFolders()]
  }

  get counts(): CheckpointCounts {
    const latest = this.#state.completed.latest
    return {
      ...this.#state.history.totals,
      inProgress: this.#state.pending.size,
      latestCompleted: latest && {
        id: latest.id,
        pointer: latest.pointer,
        stateBytes: latest.stateBytes,
        durationMs: latest.durationMs,
        timestamp: latest.metadata.timestamp,
      },
    }
  }

  /** @param epochMs now */
  statistics(epochMs: number): CheckpointStatistics {
    return this.#state.history.describe(this.#state.pending.size, epochMs)
  }

  handle(time: EventTime, event: CoordinatorEvent): readonly CoordinatorAction[] {
    this.#state.begin(time)
    this.#route(event)
    this.#starts.schedule()
    return this.#state.actions
  }

  #route(event: CoordinatorEvent): void {
    switch (event.type) {
      case 'tasks-deployed':
        this.#restored()
        this.#state.tasks.deployed(event.tasks)
        break
      case 'task-running':
        this.#state.tasks.update(event.attemptId, { state: 'running' })
        break
      case 'task-finished':
        this.#state.tasks.update(event.attemptId, { state: 'finished' })
        for (const pending of [...this.#state.pending.values()]) {
          if (pending.missing.has(event.attemptId)) this.#ends.overtaken(pending, 'a task finished before it')
        }
        break
      case 'tasks-stopped': {
        const { tasksEnd } = this.#state.savepoints
        for (const attemptId of event.attemptIds) this.#state.tasks.update(attemptId, { state: 'stopped' })
        this.#state.triggers.restarted()
        this.#ends.interrupted(false, 'tasks were stopped')
        // Regions that were not hit would finish, and the job go on without what they have not read yet.
        if (tasksEnd) this.#state.act({ type: 'restart-all' })
        break
      }
      case 'end-of-data':
        this.#state.tasks.update(event.attemptId, { endOfData: true })
        break
      case 'acknowledged':
        this.#acknowledged(event.acknowledgement)
        break
      case 'task-waits':
        this.#state.pending.get(event.checkpointId)?.waits(event.attemptId, event.what)
        break
      case 'declined': {
        const { checkpointId, attemptId, reason } = event.decline
        const pending = this.#state.pending.get(checkpointId)
        if (pending === undefined || !pending.missing.has(attemptId)) break
        if (reason.code === CHECKPOINT_NOT_POSSIBLE) {
          // Nothing went wrong there: the task is about to end, or was late to start. It counts only as a pause.
          this.#ends.overtaken(pending, reason.message)
          this.#state.triggers.failed(this.#state.time.monotonicMs)
        } else {
          this.#ends.failed(pending, reason)
        }
        break
      }
      case 'checkpoint-requested':
        this.#starts.requestedByHand(event.requestId)
        break
      case 'savepoint-requested':
        this.#starts.requested(event)
        break
      case 'coordinators-snapshotted': {
        const pending = this.#state.pending.get(event.checkpointId)
        if (pending?.takeCoordinators(event.states) === true) this.#starts.triggerTasks(pending)
        break
      }
      case 'trigger-failed': {
        const pending = this.#state.pending.get(event.checkpointId)
        if (pending?.state === 'collecting') this.#ends.failed(pending, event.reason)
        break
      }
      case 'stored':
        this.#ends.stored(event)
        break
      case 'store-failed': {
        const pending = this.#state.pending.get(event.checkpointId)
        if (pending === undefined) this.#state.actAll(this.#state.folders.writingEnded(event.checkpointId))
        else this.#ends.failed(pending, event.reason, 'nothing is being written')
        break
      }
      case 'timer':
        if (event.timer === 'trigger') this.#starts.timerFired()
        else this.#ends.expired(Number(event.timer.slice('expire/'.length)))
        break
      case 'job-over':
        this.#ends.jobOver(event.status)
        break
    }
  }

  #restored(): void {
    const metadata = this.restorePoint
    const pointer = this.#state.completed.latest?.pointer ?? this.#snapshot?.pointer
    if (metadata === undefined || pointer === undefined) return
    const { epochMs: timestamp } = this.#state.time
    const savepoint = metadata.kind === 'savepoint'
    const { checkpointId: id, jobId, timestamp: takenAt } = metadata
    this.#state.history.restored({ id, timestamp, savepoint, pointer, jobId, takenAt })
  }

  #acknowledged({
    attemptId,
    checkpointId,
    state,
    metrics,
  }: Extract<CoordinatorEvent, { type: 'acknowledged' }>['acknowledgement']): void {
    const pending = this.#state.pending.get(checkpointId)
    if (pending === undefined) {
      this.#state.actAll(this.#state.folders.late(checkpointId))
      return
    }
    if (!pending.acknowledge(attemptId, state)) return
    const { history, time } = this.#state
    history.acknowledged(checkpointId, pending.plan.acknowledge.get(attemptId)!, metrics, time.epochMs)
    if (pending.state === 'collecting') return
    const gone = [...pending.earlier].find(id => !this.#state.completed.holds(id))
    if (gone !== undefined) {
      // Not a fault: the task had not heard yet of the checkpoint that has taken its place.
      this.#ends.abort(pending, `a task builds upon checkpoint ${gone}, which is not kept any more`)
      this.#state.triggers.failed(time.monotonicMs)
      return
    }
    // This one holds all that older ones do; and what finished tasks carry over from the latest must not move now.
    for (const older of [...this.#state.pending.values()]) {
      if (older.id < checkpointId) this.#ends.abort(older, `checkpoint ${checkpointId} has overtaken it`)
    }
    const metadata = pending.seal(this.#state.graph, this.#state.completed.latest)
    const folder = pending.savepoint?.folder
    this.#state.act({ type: 'store', metadata, ...(folder !== undefined && { savepoint: folder }) })
  }
}
