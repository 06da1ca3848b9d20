import type { Logger, OperatorId } from '@flink-ts/common'
import type { TaskDeployment } from '@flink-ts/gateways'
import type { JobEdge, JobGraph, JobVertex, Partitioning } from '@flink-ts/jobgraph'
import { describeValue, type Push, type ReplayedProgram, userFunctionFailure } from '@flink-ts/operators'
import type { BarrierHandler } from '../checkpoint/barrier-handler.ts'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import { InvalidDeployment } from '../errors.ts'
import type { DirectConsumer } from './direct-channel.ts'
import { type LinkMaker, OperatorChain, type OperatorFailureMaker } from './operator-chain.ts'
import { type ContextHost, createOperatorContext } from './operator-context.ts'
import { operatorFailure } from './operator-failure.ts'
import type { Overdraft } from './overdraft.ts'
import { type InputChannel, type InputListener, TaskInputs } from './task-inputs.ts'
import { TaskOutputs } from './task-outputs.ts'
import type { TaskChannels } from './task-ports.ts'

/** The outgoing edges of a task with their channels and partitioners. */
export function buildOutputs(
  deployment: TaskDeployment,
  program: ReplayedProgram,
  dependencies: { channels: TaskChannels; timestamp: Float64Array; overdraft: Overdraft; logger: Logger },
): TaskOutputs {
  const { channels, timestamp, overdraft, logger } = dependencies
  const { graph } = deployment.job
  const edges = deployment.outputs.map(({ edge, channels: ends }) => {
    const operator = operatorName(graph, edge)
    const bound = overdraft.of(operator)
    const writers = ends.map(({ channelId }) => channels.writer(channelId, timestamp, bound))
    const partitioner = program.partitioner(edge.edgeId)
    const target = graph.vertices.find(({ id }) => id === edge.target)
    if (target === undefined) {
      const problem = `edge ${edge.edgeId} leads to the unknown vertex ${edge.target}`
      throw InvalidDeployment({ task: deployment.attemptId, problem })
    }
    const { maxParallelism } = target
    const { subtaskIndex } = deployment
    const push = channels.recordWriter(partitioner, writers, {
      ...{ maxParallelism, subtaskIndex, operator },
      failed: (functionName, thrown, record) =>
        userFunctionFailure(
          { operatorName: operator, subtaskIndex },
          `${functionName} behind it`,
          thrown,
          `record ${describeValue(record)}`,
        ),
    })
    return { edge, writers, push }
  })
  const emitters = edges.map(({ edge }) => operatorName(graph, edge))
  return new TaskOutputs(edges, overdraft, sizeBytes =>
    logger.warn(
      { sizeBytes, emitters },
      'single records or timers emit far more than the channels have room for',
    ),
  )
}

function operatorName(graph: JobGraph, edge: JobEdge): string {
  const operators = graph.vertices.flatMap(vertex => vertex.operators)
  return operators.find(({ nodeId }) => nodeId === edge.sourceNodeId)?.name ?? String(edge.sourceNodeId)
}

/** The operators of a task, each with its context. */
export function buildChain(
  deployment: TaskDeployment,
  vertex: JobVertex,
  program: ReplayedProgram,
  outputs: TaskOutputs,
  dependencies: {
    host: ContextHost
    backends: readonly OperatorBackends[]
    logger: Logger
    taskName: string
    failure: OperatorFailureMaker
  },
): OperatorChain {
  const { host, backends, logger, taskName, failure } = dependencies
  const make: LinkMaker = (node, index, out, sideOutput) => {
    try {
      const factory = program.operatorFactory(node.nodeId)
      const context = createOperatorContext(
        { deployment, vertex, node, index, out, sideOutput, keyPlace: factory.keyPlace },
        { host, backends: backends[index] as OperatorBackends, logger },
      )
      return factory.create(context)
    } catch (error) {
      throw operatorFailure({ operator: node.name, task: taskName }, 'its creation', error)
    }
  }
  return OperatorChain.build(vertex.operators, outputs.edges, make, failure)
}

/**
 * Every subtask gets its own copy of a broadcast record, and some have it in their state and others not when they take
 * their snapshots; what a custom partitioner would do with a record again nobody knows.
 */
const ALIGNED_ONLY: ReadonlySet<Partitioning> = new Set<Partitioning>(['broadcast', 'custom'])

/** How many channels a task has, and which of them are always aligned. */
export function channelsOf(
  { inputs }: TaskDeployment,
  restored: number,
): { readonly channels: number; readonly alignedOnly: ReadonlySet<number> } {
  const partitionings = inputs.flatMap(({ edge, channels }) => channels.map(() => edge.partitioning))
  const alignedOnly = partitionings.flatMap((partitioning, i) => (ALIGNED_ONLY.has(partitioning) ? [i] : []))
  return { channels: partitionings.length + restored, alignedOnly: new Set(alignedOnly) }
}

/** The vertex that a task belongs to. Throws `taskmanager.invalid-deployment`. */
export function vertexOf({ attemptId, job, vertexId }: TaskDeployment): JobVertex {
  const vertex = job.graph.vertices.find(({ id }) => id === vertexId)
  if (vertex === undefined) {
    throw InvalidDeployment({ task: attemptId, problem: `the job has no vertex ${vertexId}` })
  }
  return vertex
}

/** The incoming channels of a task, in order of its input edges, and those with records from a checkpoint. */
export function buildInputs(
  deployment: TaskDeployment,
  channels: TaskChannels,
  timestamp: Float64Array,
  dependencies: {
    heads: readonly Push[]
    consumer: DirectConsumer
    listener: InputListener
    barriers: BarrierHandler
    suspended: () => boolean
    /** Records from a checkpoint. */
    restored: readonly InputChannel[]
  },
): TaskInputs {
  const inputs = deployment.inputs.flatMap(({ edge, channels: ends }) => {
    if (dependencies.heads[edge.targetInput] === undefined) {
      const problem = `its head operator has no input ${edge.targetInput}, which edge ${edge.edgeId} feeds`
      throw InvalidDeployment({ task: deployment.attemptId, problem })
    }
    const { source, outputTag, targetInput: input } = edge
    const { vertices } = deployment.job.graph
    const producer = vertices.find(({ id }) => id === source)
    const operator = producer?.operators.find(({ nodeId }) => nodeId === edge.sourceNodeId)
    return ends.map(
      ({ channelId, partner }): InputChannel => ({
        inputIndex: input,
        reader: channels.reader(channelId, timestamp),
        source,
        name: {
          ...{ input, source: operator?.operatorId as OperatorId },
          ...(outputTag !== undefined && { outputTag }),
        },
        label: `${producer?.name} (${(partner?.subtaskIndex ?? 0) + 1}/${producer?.parallelism})`,
        alignedOnly: ALIGNED_ONLY.has(edge.partitioning),
      }),
    )
  })
  return new TaskInputs([...inputs, ...dependencies.restored], dependencies)
}
