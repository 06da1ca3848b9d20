import type { ExecutionAttemptId, OperatorId } from '@flink-ts/common'
import type { CoordinatorState } from '@flink-ts/gateways'
import type { JobGraph, JobVertex } from '@flink-ts/jobgraph'
import {
  type CheckpointMetadata,
  channelStateSizeBytes,
  locationSizeBytes,
  type OperatorState,
  type OperatorSubtaskState,
  type TaskStateSnapshot,
} from '@flink-ts/state'
import { type SubtaskKey, subtaskKey } from '../failover/pipelined-regions.ts'
import type { CheckpointPlan } from './checkpoint-plan.ts'
import type { CompletedCheckpoint } from './completed-store.ts'
import type { SavepointRequest } from './savepoint-requests.ts'

/** Version of the content of `_metadata`. */
const METADATA_VERSION = 1

/** A checkpoint that is ready to be stored. */
interface SealedCheckpoint {
  readonly metadata: CheckpointMetadata
  /** For each subtask in the folder of which checkpoint its files are. */
  readonly origins: ReadonlyMap<SubtaskKey, number>
}

/**
 * A checkpoint under way. `collecting` acknowledgements, then `storing` its metadata. Owner: the coordinator.
 */
export class PendingCheckpoint {
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** Of a clock that never goes back. */
  readonly startedMs: number
  readonly plan: CheckpointPlan
  /** All tasks had emitted everything before it was triggered. */
  readonly coversEndOfData: boolean
  /** Attempts that had: they end when they hear of its completion. */
  readonly ended: ReadonlySet<ExecutionAttemptId>
  /** Undefined: a periodic checkpoint. */
  readonly savepoint: SavepointRequest | undefined
  /** Those who asked for it by hand. */
  readonly requests: readonly string[]
  readonly #snapshots = new Map<SubtaskKey, TaskStateSnapshot>()
  readonly #missing: Set<ExecutionAttemptId>
  readonly #waits = new Map<ExecutionAttemptId, string>()
  #last: ExecutionAttemptId | undefined
  #coordinators: readonly CoordinatorState[] | undefined
  #sealed: SealedCheckpoint | undefined

  constructor(facts: {
    id: number
    timestamp: number
    startedMs: number
    plan: CheckpointPlan
    coversEndOfData: boolean
    ended: ReadonlySet<ExecutionAttemptId>
    savepoint: SavepointRequest | undefined
    requests?: readonly string[]
  }) {
    this.id = facts.id
    this.timestamp = facts.timestamp
    this.startedMs = facts.startedMs
    this.plan = facts.plan
    this.coversEndOfData = facts.coversEndOfData
    this.ended = facts.ended
    this.savepoint = facts.savepoint
    this.requests = facts.requests ?? []
    this.#missing = new Set(facts.plan.acknowledge.keys())
  }

  get state(): 'collecting' | 'storing' {
    return this.#missing.size === 0 ? 'storing' : 'collecting'
  }

  /** Who has not acknowledged. */
  get missing(): ReadonlySet<ExecutionAttemptId> {
    return this.#missing
  }

  /** A task has told what it waits for. */
  waits(attemptId: ExecutionAttemptId, what: string): void {
    if (this.#missing.has(attemptId)) this.#waits.set(attemptId, what)
  }

  /** Who has not acknowledged, with what each was waiting for when it last told, for messages. */
  describeMissing(graph: JobGraph): readonly string[] {
    const vertices = new Map<string, JobVertex>(graph.vertices.map(vertex => [vertex.id, vertex]))
    return [...this.#missing].map(attemptId => {
      const what = this.#waits.get(attemptId)
      const name = this.#nameOf(attemptId, vertices)
      return what === undefined ? name : `${name}, which waits for ${what}`
    })
  }

  /**
   * Of a slow checkpoint, which task acknowledged last, with what it waited for when it last told, for messages;
   * undefined: it was there before anybody had to tell.
   */
  describeSlowest(graph: JobGraph): string | undefined {
    const what = this.#last && this.#waits.get(this.#last)
    if (this.#last === undefined || what === undefined) return undefined
    const vertices = new Map<string, JobVertex>(graph.vertices.map(vertex => [vertex.id, vertex]))
    return `${this.#nameOf(this.#last, vertices)}, which waited for ${what}`
  }

  #nameOf(attemptId: ExecutionAttemptId, vertices: ReadonlyMap<string, JobVertex>): string {
    const key = this.plan.acknowledge.get(attemptId)!
    const slash = key.lastIndexOf('/')
    const vertex = vertices.get(key.slice(0, slash))
    return `${vertex?.name} (${Number(key.slice(slash + 1)) + 1}/${vertex?.parallelism})`
  }

  /** Takes an acknowledgement; false if that attempt has none to give (any more). */
  acknowledge(attemptId: ExecutionAttemptId, snapshot: TaskStateSnapshot): boolean {
    if (!this.#missing.delete(attemptId)) return false
    this.#snapshots.set(this.plan.acknowledge.get(attemptId)!, snapshot)
    this.#last = attemptId
    return true
  }

  /** Earlier checkpoints in whose folders tasks have left files that they build upon. */
  get earlier(): ReadonlySet<number> {
    const operators = [...this.#snapshots.values()].flatMap(snapshot => snapshot.operators)
    const origins = operators.flatMap(({ keyed }) => keyed.flatMap(({ origin }) => origin ?? []))
    return new Set(origins.filter(id => id !== this.id))
  }

  /** Takes the states of the coordinators; false if they are there already. */
  takeCoordinators(states: readonly CoordinatorState[]): boolean {
    if (this.#coordinators !== undefined) return false
    this.#coordinators = states
    return true
  }

  /** What was sealed. */
  get sealed(): SealedCheckpoint {
    if (this.#sealed === undefined) throw new Error(`Checkpoint ${this.id} is not sealed`)
    return this.#sealed
  }

  /**
   * Puts it together once all have acknowledged. Tasks that have finished keep the state they had in `previous`, the
   * latest completed checkpoint. @returns what to store
   */
  seal(graph: JobGraph, previous: CompletedCheckpoint | undefined): CheckpointMetadata {
    const origins = new Map<SubtaskKey, number>()
    for (const key of this.#snapshots.keys()) origins.set(key, this.id)
    // A savepoint gets copies of their files.
    const carriedFrom = (key: SubtaskKey) =>
      this.savepoint === undefined ? previous!.origins.get(key)! : this.id
    for (const key of this.plan.finished) origins.set(key, carriedFrom(key))
    const carried = new Map(previous?.metadata.operators.map(operator => [operator.operatorId, operator]))
    const operators = graph.vertices.flatMap(vertex =>
      vertex.operators.map(({ operatorId, name, uid }): OperatorState => {
        const subtasks: { index: number; state: OperatorSubtaskState }[] = []
        for (let index = 0; index < vertex.parallelism; index++) {
          const key = subtaskKey(vertex.id, index)
          const state = this.#snapshots.has(key)
            ? stateOf(this.#snapshots.get(key), operatorId)
            : carried.get(operatorId)?.subtasks.find(subtask => subtask.index === index)?.state
          if (state !== undefined) subtasks.push({ index, state })
        }
        const { parallelism, maxParallelism } = vertex
        const coordinator = this.#coordinators?.find(state => state.operatorId === operatorId)
        return {
          ...(uid !== undefined && { uid }),
          ...{ operatorId, name, parallelism, maxParallelism, subtasks },
          ...(coordinator && { coordinator: { base64: Buffer.from(coordinator.state).toString('base64') } }),
        }
      }),
    )
    const { id: checkpointId, timestamp } = this
    const metadata: CheckpointMetadata = {
      ...{ version: METADATA_VERSION, checkpointId, jobId: graph.jobId, jobName: graph.name },
      ...(this.savepoint !== undefined && { kind: 'savepoint' }),
      ...(this.savepoint?.stop === 'drain' && { drained: true }),
      ...{ timestamp, operators },
    }
    this.#sealed = { metadata, origins }
    return metadata
  }
}

function stateOf(
  snapshot: TaskStateSnapshot | undefined,
  operatorId: OperatorId,
): OperatorSubtaskState | undefined {
  return snapshot?.operators.find(operator => operator.operatorId === operatorId)
}

/** Size of all states that a checkpoint refers to, in bytes. */
export function stateSizeBytes(metadata: CheckpointMetadata): number {
  let bytes = 0
  for (const operator of metadata.operators) {
    for (const { state } of operator.subtasks) {
      for (const handle of [...state.keyed, ...state.operator]) bytes += locationSizeBytes(handle.location)
      for (const handle of state.inputs ?? []) bytes += channelStateSizeBytes(handle)
    }
  }
  return bytes
}
