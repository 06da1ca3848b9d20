import type { TaskDeployment } from '@flink-ts/gateways'
import type { JobEdge, JobVertex } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import { keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import {
  type ChannelName,
  type ChannelStateHandle,
  readChannelState,
  type StoredChannel,
  type TaskStateSnapshot,
} from '@flink-ts/state'
import { RecordsWithoutInput } from '../errors.ts'
import { RestoredChannel } from './restored-channel.ts'
import type { InputChannel } from './task-inputs.ts'
import type { StateBackends } from './task-ports.ts'

/**
 * The records on their way that a task is restored with, as channels: those of one source and input in one, in order. At
 * another parallelism than before each record goes to the subtask that its edge would send it to; where an edge knows
 * none, to the one that takes over from the subtask that had it. Rejects with `taskmanager.records-without-input` if an
 * operator no longer reads what they came from, and with errors of the storage.
 */
export async function restoreChannels(
  {
    deployment,
    vertex,
    program,
  }: { deployment: TaskDeployment; vertex: JobVertex; program: ReplayedProgram },
  restored: TaskStateSnapshot | undefined,
  timestamp: Float64Array,
  backends: Pick<StateBackends, 'read'>,
): Promise<readonly InputChannel[]> {
  const task = { deployment, vertex, program }
  const [head] = vertex.operators
  const sources = new Map<string, { channel: StoredChannel; keeps: Keeps }[]>()
  for (const { operatorId, inputs } of restored?.operators ?? []) {
    const operator = vertex.operators.find(node => node.operatorId === operatorId)
    for (const handle of inputs ?? []) {
      for (const channel of await readChannelState(handle, backends)) {
        const { name } = channel
        const edge = edgeOf(name, deployment)
        if (operator !== head || edge === undefined) {
          throw RecordsWithoutInput({ operator: operator?.name ?? operatorId, input: name.input })
        }
        const key = JSON.stringify([name.input, name.source, name.outputTag])
        const known = sources.get(key) ?? []
        sources.set(key, [...known, { channel, keeps: keptOf(handle, task, edge) }])
      }
    }
  }
  return [...sources.values()].map(parts => {
    const { name } = (parts[0] as { channel: StoredChannel }).channel
    const batches = parts.flatMap(({ channel, keeps }) => channel.batches.map(batch => ({ ...batch, keeps })))
    return {
      inputIndex: name.input,
      reader: new RestoredChannel(batches, timestamp),
      name,
      label: 'records restored from the checkpoint',
      alignedOnly: false,
    }
  })
}

type Keeps = (record: unknown) => boolean

/** Which records of a handle belong to the subtask of `deployment`. */
function keptOf(
  { subtask, parallelism }: ChannelStateHandle,
  {
    deployment,
    vertex,
    program,
  }: { deployment: TaskDeployment; vertex: JobVertex; program: ReplayedProgram },
  edge: JobEdge,
): Keeps {
  const { subtaskIndex } = deployment
  if (parallelism === vertex.parallelism) return () => true
  const partitioner = program.partitioner(edge.edgeId)
  const keySelector =
    partitioner.type === 'hash'
      ? partitioner.keySelector
      : program.keySelector(vertex.operators[0]?.nodeId as number, edge.targetInput)
  if (keySelector === undefined) {
    const takesOver = subtask % vertex.parallelism === subtaskIndex
    return () => takesOver
  }
  const { maxParallelism } = vertex
  const { start, end } = keyGroupRangeOf(maxParallelism, vertex.parallelism, subtaskIndex)
  return record => {
    const group = keyGroupOf(keySelector(record as never), maxParallelism)
    return group >= start && group <= end
  }
}

/** The edge that brings what a handle has: of the same source, else any to that input. */
function edgeOf({ input, source, outputTag }: ChannelName, deployment: TaskDeployment): JobEdge | undefined {
  const { graph } = deployment.job
  const operators = new Map(
    graph.vertices.flatMap(({ operators }) => operators.map(node => [node.nodeId, node])),
  )
  const edges = deployment.inputs.map(({ edge }) => edge).filter(({ targetInput }) => targetInput === input)
  return (
    edges.find(
      edge => operators.get(edge.sourceNodeId)?.operatorId === source && edge.outputTag === outputTag,
    ) ?? edges[0]
  )
}
