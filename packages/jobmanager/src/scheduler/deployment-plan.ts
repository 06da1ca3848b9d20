import type { EdgeDeployment, JobInformation, SubtaskLocation, TaskDeployment } from '@flink-ts/gateways'
import type { JobEdge, JobGraph } from '@flink-ts/jobgraph'
import { consumersOf, producersOf } from '../execution-graph/channel-layout.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { type SubtaskKey, subtaskKey } from '../failover/pipelined-regions.ts'

/** Tasks of one slot: they are submitted in one call. */
export interface SlotDeployment {
  readonly taskManager: Execution['location'] & {}
  readonly tasks: readonly TaskDeployment[]
}

/**
 * Everything that the TaskManagers need to run these executions, by slot, slots in order of first use. The executions
 * are whole regions, each with a location. Channels are named `<job>/<epoch>/<edge>/<producer>/<consumer>`: what a dead
 * attempt still sends belongs to an older epoch.
 */
export function planDeployment(
  job: JobInformation,
  epoch: number,
  executions: readonly Execution[],
  restoreOf: (execution: Execution) => TaskDeployment['restore'],
): readonly SlotDeployment[] {
  const byKey = new Map(executions.map(execution => [execution.key, execution]))
  const slots = new Map<string, { taskManager: Execution['location'] & {}; tasks: TaskDeployment[] }>()
  for (const execution of executions) {
    const location = execution.location
    if (location === undefined) throw new Error(`${execution.key} has no slot`)
    const task: TaskDeployment = {
      job,
      allocationId: location.allocationId,
      attemptId: execution.attemptId,
      attemptNumber: execution.attemptNumber,
      vertexId: execution.vertex.id,
      subtaskIndex: execution.subtaskIndex,
      inputs: edgesOf(job.graph, execution, 'input', epoch, byKey),
      outputs: edgesOf(job.graph, execution, 'output', epoch, byKey),
      restore: restoreOf(execution),
    }
    const slot = slots.get(location.allocationId)
    if (slot === undefined) slots.set(location.allocationId, { taskManager: location, tasks: [task] })
    else slot.tasks.push(task)
  }
  return [...slots.values()]
}

function edgesOf(
  graph: JobGraph,
  execution: Execution,
  side: 'input' | 'output',
  epoch: number,
  byKey: ReadonlyMap<SubtaskKey, Execution>,
): readonly EdgeDeployment[] {
  const own = execution.subtaskIndex
  const vertexId = execution.vertex.id
  return graph.edges
    .filter(edge => (side === 'input' ? edge.target : edge.source) === vertexId)
    .map(edge => {
      const partner = graph.vertices.find(v => v.id === (side === 'input' ? edge.source : edge.target))!
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
              ? channelId(graph, epoch, edge, index, own)
              : channelId(graph, epoch, edge, own, index),
          partner: locationOf(byKey.get(subtaskKey(partner.id, index))),
        })),
      }
    })
}

function channelId(
  graph: JobGraph,
  epoch: number,
  edge: JobEdge,
  producer: number,
  consumer: number,
): string {
  return `${graph.jobId}/${epoch}/${edge.edgeId}/${producer}/${consumer}`
}

function locationOf(execution: Execution | undefined): SubtaskLocation {
  if (execution?.location === undefined) throw new Error('A region is deployed without one of its subtasks')
  return { subtaskIndex: execution.subtaskIndex, attemptId: execution.attemptId, ...execution.location }
}
