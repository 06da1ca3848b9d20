import type { JobGraph } from '@flink-ts/jobgraph'
import type { CheckpointMetadata } from '@flink-ts/state'
import { AbortedFolders, type DiscardAction } from './aborted-folders.ts'
import { CheckpointHistory } from './checkpoint-history.ts'
import { type CompletedContent, CompletedStore } from './completed-store.ts'
import type { CoordinatorAction } from './coordinator-protocol.ts'
import type { PendingCheckpoint } from './pending-checkpoint.ts'
import { SavepointRequests } from './savepoint-requests.ts'
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

/** What a former JobMaster of the job has left. */
export interface RecoveredCheckpoints extends CompletedContent {
  readonly latestSavepointId: number | undefined
  /** Ids, from and below, of checkpoints that may be there but do not count. */
  readonly abandoned: readonly (readonly [number, number])[]
  /** Ids go on with this one. */
  readonly nextId: number
}

/** The moment of an event. */
export interface EventTime {
  /** Milliseconds since the epoch. */
  readonly epochMs: number
  /** Of a clock that never goes back. */
  readonly monotonicMs: number
}

/** What the parts of the coordinator share. Owner: the coordinator. */
export class CoordinatorState {
  readonly graph: JobGraph
  /** Some operator has a coordinator, whose state comes first. */
  readonly coordinated: boolean
  readonly tasks: TaskTracker
  readonly triggers: TriggerSchedule
  readonly pending = new Map<number, PendingCheckpoint>()
  readonly completed: CompletedStore
  readonly savepoints = new SavepointRequests()
  /** Requests for a checkpoint by hand that wait for it to begin. */
  readonly byHand: string[] = []
  readonly folders = new AbortedFolders()
  readonly history: CheckpointHistory
  nextId: number
  /** Ids, from and below, of checkpoints of former JobMasters that may be there but do not count. */
  readonly abandoned: readonly (readonly [number, number])[]
  /** Of those that the job took. */
  latestSavepointId: number | undefined
  /** The job has ended. */
  over = false
  /** Of the event being handled. */
  time: EventTime = { epochMs: 0, monotonicMs: 0 }
  #actions: CoordinatorAction[] = []

  constructor(
    graph: JobGraph,
    restored: RestoredSnapshot | undefined,
    maxHistory: number,
    recovered: RecoveredCheckpoints | undefined,
  ) {
    this.graph = graph
    this.coordinated = graph.vertices.some(vertex => vertex.operators.some(({ coordinated }) => coordinated))
    this.tasks = new TaskTracker(graph)
    this.triggers = new TriggerSchedule(graph.checkpointing)
    const { retained } = graph.checkpointing
    this.completed =
      recovered === undefined || recovered.checkpoints.length === 0
        ? new CompletedStore(retained, restored)
        : CompletedStore.of(retained, recovered)
    this.latestSavepointId = recovered?.latestSavepointId
    this.abandoned = recovered?.abandoned ?? []
    this.history = new CheckpointHistory(graph, maxHistory)
    this.nextId = Math.max(recovered?.nextId ?? 1, (restored?.metadata.checkpointId ?? 0) + 1)
  }

  /** An event begins. */
  begin(time: EventTime): void {
    this.time = time
    this.#actions = []
  }

  /** What the event led to so far. */
  get actions(): readonly CoordinatorAction[] {
    return this.#actions
  }

  act(action: CoordinatorAction): void {
    this.#actions.push(action)
    if (action.type === 'discard' || action.type === 'retire') this.history.discarded(action.checkpointId)
  }

  /** The folders of checkpoints that do not count. */
  abandonedFolders(): readonly DiscardAction[] {
    // Without an interval there is no storage for them.
    if (this.graph.checkpointing.intervalMs === undefined) return []
    return this.abandoned.flatMap(([from, below]) =>
      Array.from({ length: below - from }, (_, i) => ({ type: 'discard', checkpointId: from + i }) as const),
    )
  }

  actAll(actions: readonly CoordinatorAction[]): void {
    for (const action of actions) this.act(action)
  }
}
