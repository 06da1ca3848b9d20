import type { JobVertexId } from '@flink-ts/common'
import type { EdgeDeployment, SubtaskLocation, TaskDescription } from '@flink-ts/gateways'
import type { JobEdge, JobGraph, JobVertex } from '@flink-ts/jobgraph'
import { consumersOf, producersOf } from '../execution-graph/channel-layout.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { type SubtaskKey, subtaskKey } from '../failover/pipelined-regions.ts'

/** Tasks of one slot: they are submitted in one call. */
export interface SlotDeployment {
  readonly taskManager: Execution['location'] & {}
  readonly tasks: readonly TaskDescription[]
}

/**
 * Everything that the TaskManagers need to run these executions, by slot, slots in order of first use. The executions
 * are whole regions, each with a location. Channels are named `<deployment>/<edge>/<producer>/<consumer>`: what a dead
 * attempt still sends belongs to another deployment, maybe of a former JobMaster of the job.
 * @param deployment differs from that of all others
 */
export function planDeployment(
  graph: JobGraph,
  deployment: string,
  executions: readonly Execution[],
  restoreOf: (execution: Execution) => TaskDescription['restore'],
): readonly SlotDeployment[] {
  const topology = {
    vertices: new Map(graph.vertices.map(vertex => [vertex.id, vertex])),
    input: Map.groupBy(graph.edges, edge => edge.target),
    output: Map.groupBy(graph.edges, edge => edge.source),
    executions: new Map(executions.map(execution => [execution.key, execution])),
  }
  const slots = new Map<string, { taskManager: Execution['location'] & {}; tasks: TaskDescription[] }>()
  for (const execution of executions) {
    const location = execution.location
    if (location === undefined) throw new Error(`${execution.key} has no slot`)
    const task: TaskDescription = {
      allocationId: location.allocationId,
      attemptId: execution.attemptId,
      attemptNumber: execution.attemptNumber,
      vertexId: execution.vertex.id,
      subtaskIndex: execution.subtaskIndex,
      inputs: edgesOf(topology, execution, 'input', deployment),
      outputs: edgesOf(topology, execution, 'output', deployment),
      restore: restoreOf(execution),
    }
    const slot = slots.get(location.allocationId)
    if (slot === undefined) slots.set(location.allocationId, { taskManager: location, tasks: [task] })
    else slot.tasks.push(task)
  }
  return [...slots.values()]
}

/** The graph by what it is asked for: each lookup takes the same time, whatever the size of the job. */
interface Topology {
  readonly vertices: ReadonlyMap<JobVertexId, JobVertex>
  readonly input: ReadonlyMap<JobVertexId, readonly JobEdge[]>
  readonly output: ReadonlyMap<JobVertexId, readonly JobEdge[]>
  readonly executions: ReadonlyMap<SubtaskKey, Execution>
}

function edgesOf(
  topology: Topology,
  execution: Execution,
  side: 'input' | 'output',
  deployment: string,
): readonly EdgeDeployment[] {
  const own = execution.subtaskIndex
  const edges = topology[side].get(execution.vertex.id) ?? []
  return edges.map(edge => {
    const partner = topology.vertices.get(side === 'input' ? edge.source : edge.target)!
    const parallelism = execution.vertex.parallelism
    const partners =
      side === 'input'
        ? producersOf(edge.partitioning, own, partner.parallelism, parallelism)
        : consumersOf(edge.partitioning, own, parallelism, partner.parallelism)
    return {
      edge,
      partnerParallelism: partner.parallelism,
      channels: partners.map(index => ({
        channelId:
          side === 'input'
            ? channelId(deployment, edge, index, own)
            : channelId(deployment, edge, own, index),
        partner: locationOf(topology.executions.get(subtaskKey(partner.id, index))),
      })),
    }
  })
}

function channelId(deployment: string, edge: JobEdge, producer: number, consumer: number): string {
  return `${deployment}/${edge.edgeId}/${producer}/${consumer}`
}

function locationOf(execution: Execution | undefined): SubtaskLocation {
  if (execution?.location === undefined) throw new Error('A region is deployed without one of its subtasks')
  return { subtaskIndex: execution.subtaskIndex, attemptId: execution.attemptId, ...execution.location }
}
