import type { TaskDeployment } from '@flink-ts/gateways'
import { subtaskOfKeyGroup } from '@flink-ts/serialization'
import type { ChannelStateHandle, OperatorSubtaskState, StateLocation } from '@flink-ts/state'
import type { ChannelCapture } from '@flink-ts/taskmanager'
import { NoState, ReaderState, type SimulatedState, SinkState, SourceState } from './simulated-state.ts'
import type { Verdict } from './violation.ts'
import { KEYS, keyOf, type SimulatedRecord, type Workload } from './workload.ts'

/** What a simulated task keeps, before anything is restored. */
export function stateOf(deployment: TaskDeployment, workload: Workload, verdict: Verdict): SimulatedState {
  const { job, vertexId, subtaskIndex: index, attemptId: attempt, inputs } = deployment
  const vertex = job.graph.vertices.find(candidate => candidate.id === vertexId)!
  const { operatorId, kind, coordinated } = vertex.operators[0]!
  const { parallelism } = vertex
  if (kind === 'source' && coordinated === true) return new ReaderState(operatorId)
  if (kind === 'source')
    return new SourceState(operatorId, workload.splits, split => split % parallelism === index)
  if (kind !== 'sink') return new NoState(operatorId)
  const keyed = inputs.some(({ edge }) => edge.partitioning === 'hash')
  return new SinkState(operatorId, { keyed, index, parallelism, attempt }, verdict)
}

/** Whether a record that was on its way to subtask `from` belongs to this one now; as `restoreChannels`. */
export function takesOver(
  deployment: TaskDeployment,
  from: Pick<ChannelStateHandle, 'subtask' | 'parallelism'>,
  record: SimulatedRecord,
): boolean {
  const { subtaskIndex, inputs } = deployment
  const parallelism = parallelismOf(deployment)
  if (from.parallelism === parallelism) return true
  if (inputs.some(({ edge }) => edge.partitioning === 'hash'))
    return subtaskOfKeyGroup(KEYS, parallelism, keyOf(record)) === subtaskIndex
  return from.subtask % parallelism === subtaskIndex
}

/** Subtasks of the vertex that a task belongs to. */
function parallelismOf({ job, vertexId }: TaskDeployment): number {
  return job.graph.vertices.find(({ id }) => id === vertexId)!.parallelism
}

/** Writes what the channels of a task held before the barrier; nothing if that is nothing. */
export async function writeInputs(
  deployment: TaskDeployment,
  capture: ChannelCapture | undefined,
  write: (purpose: string, content: string) => Promise<StateLocation>,
): Promise<Pick<OperatorSubtaskState, 'inputs'>> {
  if (capture === undefined) return {}
  const batches = (await capture.result).flatMap(channel => channel.batches)
  if (batches.length === 0) return {}
  const records = batches.flatMap(({ bytes }) => JSON.parse(String(bytes)) as SimulatedRecord[])
  const location = await write('inputs', JSON.stringify(records))
  const parallelism = parallelismOf(deployment)
  const { subtaskIndex: subtask } = deployment
  return { inputs: [{ subtask, parallelism, channels: [], location }] }
}
