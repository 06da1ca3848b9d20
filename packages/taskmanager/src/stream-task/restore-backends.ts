import type { JobOperator, JobVertex } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import type { TaskStateSnapshot } from '@flink-ts/state'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import type { StateBackends } from './task-ports.ts'

/** The state of all operators of a chain, by position, with what `restored` has for them. */
export function restoreBackends(
  vertex: JobVertex,
  subtaskIndex: number,
  program: ReplayedProgram,
  restored: TaskStateSnapshot | undefined,
  backends: StateBackends,
): Promise<readonly OperatorBackends[]> {
  const keyGroupRange = keyGroupRangeOf(vertex.maxParallelism, vertex.parallelism, subtaskIndex)
  const restore = async (node: JobOperator): Promise<OperatorBackends> => {
    const states = restored?.operators.filter(state => state.operatorId === node.operatorId) ?? []
    const keyedHandles = states.flatMap(state => state.keyed)
    const isKeyed =
      keyedHandles.length > 0 ||
      program.keySelector(node.nodeId, 0) !== undefined ||
      program.keySelector(node.nodeId, 1) !== undefined
    const { maxParallelism } = vertex
    return {
      keyed: isKeyed ? await backends.keyed({ keyGroupRange, maxParallelism }, keyedHandles) : undefined,
      operator: await backends.operator(states.flatMap(state => state.operator)),
    }
  }
  return Promise.all(vertex.operators.map(restore))
}
