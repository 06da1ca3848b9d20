import type { OperatorId } from '@flink-ts/common'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import { MaxParallelismChanged } from '../errors.ts'
import type {
  KeyedStateHandle,
  OperatorState,
  OperatorStateHandle,
  OperatorSubtaskState,
} from '../snapshot/state-handle.ts'
import { redistributeOperatorState } from './redistribute-operator-state.ts'

/** The handles that have anything in `range` (both ends inclusive). One handle may go to several subtasks. */
export function assignKeyedState(
  handles: readonly KeyedStateHandle[],
  range: { readonly start: number; readonly end: number },
): readonly KeyedStateHandle[] {
  return handles.filter(({ keyGroupRange, offsets, storeFile, storeFiles }) => {
    const first = Math.max(keyGroupRange.start, range.start)
    const last = Math.min(keyGroupRange.end, range.end)
    // What a store has is known to itself only; its files stay together.
    if (storeFile !== undefined || storeFiles !== undefined) return first <= last
    return offsets
      .slice(first - keyGroupRange.start, Math.max(0, last - keyGroupRange.start + 1))
      .some(o => o >= 0)
  })
}

/**
 * Records on their way stay with their subtask. At another parallelism every subtask gets all: which records are its own
 * depends on the job's partitioning.
 */
function assignChannelState(
  state: OperatorState,
  parallelism: number,
  subtaskIndex: number,
): Pick<OperatorSubtaskState, 'inputs'> {
  const own = state.parallelism === parallelism
  const inputs = state.subtasks.flatMap(subtask =>
    own && subtask.index !== subtaskIndex ? [] : (subtask.state.inputs ?? []),
  )
  return inputs.length > 0 ? { inputs } : {}
}

/**
 * What one new subtask of an operator restores from the state of all old subtasks. With an unchanged parallelism each
 * keeps its own elements of split lists. Throws `state.max-parallelism-changed` if there is keyed state.
 */
export function assignOperatorState(
  state: OperatorState | undefined,
  operatorId: OperatorId,
  parallelism: number,
  maxParallelism: number,
  subtaskIndex: number,
): OperatorSubtaskState {
  if (state === undefined) return { operatorId, keyed: [], operator: [] }
  const subtasks = state.subtasks.toSorted((a, b) => a.index - b.index)
  const keyed = subtasks.flatMap(subtask => subtask.state.keyed)
  if (keyed.length > 0 && state.maxParallelism !== maxParallelism) {
    const what = `operator ${operatorId}`
    throw MaxParallelismChanged({ what, stored: state.maxParallelism, requested: maxParallelism })
  }
  const oldHandles: OperatorStateHandle[][] = Array.from({ length: state.parallelism }, () => [])
  for (const subtask of subtasks) oldHandles[subtask.index]?.push(...subtask.state.operator)
  return {
    operatorId,
    keyed: assignKeyedState(keyed, keyGroupRangeOf(maxParallelism, parallelism, subtaskIndex)),
    operator: redistributeOperatorState(oldHandles, parallelism)[subtaskIndex] ?? [],
    ...assignChannelState(state, parallelism, subtaskIndex),
  }
}
