import type { JobGraph, JobVertex } from '@flink-ts/jobgraph'
import {
  assignOperatorState,
  type CheckpointMetadata,
  type OperatorState,
  type OperatorSubtaskState,
  type TaskStateSnapshot,
} from '@flink-ts/state'
import { CoordinatorStateMissing, MaxParallelismChanged, StateNotRestored } from '../errors.ts'

/**
 * Checks that a snapshot fits the job before anything is deployed.
 * @returns the operators whose state nobody takes over, in words: it is dropped
 * @throws jobmanager.state-not-restored if state would be dropped that `allowNonRestoredState` does not allow to drop
 * @throws jobmanager.coordinator-state-missing if readers have state, but the part that hands out splits has none
 * @throws jobmanager.max-parallelism-changed if keyed state was written with another number of key groups
 */
export function checkRestorable(
  graph: JobGraph,
  metadata: CheckpointMetadata,
  restore: { readonly path: string; readonly allowNonRestoredState: boolean },
): readonly string[] {
  const vertexOf = new Map(
    graph.vertices.flatMap(vertex =>
      vertex.operators.map(operator => [operator.operatorId, { vertex, operator }]),
    ),
  )
  const withState = metadata.operators.filter(hasState)
  const dropped = withState.filter(({ operatorId }) => !vertexOf.has(operatorId)).map(describe)
  if (dropped.length > 0 && !restore.allowNonRestoredState) {
    throw StateNotRestored({ path: restore.path, operators: dropped })
  }
  const withoutCoordinator = withState.filter(
    // Of other coordinators: those that keep no state.
    state =>
      state.coordinator === undefined &&
      vertexOf.get(state.operatorId)?.operator.coordinated === true &&
      vertexOf.get(state.operatorId)?.operator.kind === 'source',
  )
  if (withoutCoordinator.length > 0) {
    throw CoordinatorStateMissing({ path: restore.path, operators: withoutCoordinator.map(describe) })
  }
  for (const state of withState) {
    const found = vertexOf.get(state.operatorId)
    if (found === undefined || !state.subtasks.some(subtask => subtask.state.keyed.length > 0)) continue
    const { maxParallelism } = found.vertex
    if (maxParallelism !== state.maxParallelism) {
      throw MaxParallelismChanged({
        operator: found.operator.name,
        restored: state.maxParallelism,
        job: maxParallelism,
      })
    }
  }
  return dropped
}

/** The state that a subtask starts from, at whatever parallelism the snapshot was taken. */
export function assignTaskState(
  metadata: CheckpointMetadata,
  vertex: JobVertex,
  index: number,
): TaskStateSnapshot {
  const { parallelism, maxParallelism } = vertex
  return {
    operators: vertex.operators.map(({ operatorId }) =>
      assignOperatorState(
        metadata.operators.find(operator => operator.operatorId === operatorId),
        operatorId,
        parallelism,
        maxParallelism,
        index,
      ),
    ),
  }
}

function hasState(operator: OperatorState): boolean {
  if (operator.coordinator !== undefined) return true
  return operator.subtasks.some(
    ({ state }) => state.keyed.length > 0 || state.operator.length > 0 || hasRecords(state),
  )
}

/** Records were on their way to it when the snapshot was taken. */
function hasRecords({ inputs }: OperatorSubtaskState): boolean {
  return inputs !== undefined && inputs.length > 0
}

function describe({ operatorId, name, uid, parallelism, subtasks, coordinator }: OperatorState): string {
  const names = new Set(
    subtasks.flatMap(({ state }) => state.operator.flatMap(h => h.states.map(s => s.name))),
  )
  const keyed = subtasks.some(({ state }) => state.keyed.length > 0)
  const parts = [
    ...(keyed ? ['keyed state'] : []),
    ...[...names].map(name => `list state '${name}'`),
    ...(subtasks.some(({ state }) => hasRecords(state)) ? ['records on their way to it'] : []),
    ...(coordinator === undefined ? [] : ['state of its coordinator']),
  ]
  const id = uid === undefined ? `id ${operatorId}` : `uid '${uid}', id ${operatorId}`
  const called = name === undefined ? operatorId : `'${name}' (${id})`
  return `${called} with ${parts.join(', ')} at parallelism ${parallelism}`
}
