import type { JobId } from '@flink-ts/common'
import { type StackNode, StackTree, type VertexDetails } from '@flink-ts/gateways'
import { InvalidParameter } from '../errors.ts'
import type { FlameGraph, FlameGraphs } from '../server/flame-graphs.ts'

/** Flink's numbers in the place of a time, where there is no graph. */
const TERMINATED = -1
const DISABLED = -2
const WAITING = -3

const SIDES = ['FULL', 'ON_CPU', 'OFF_CPU'] as const
type Side = (typeof SIDES)[number]

/**
 * GET /jobs/:id/vertices/:vertexId/flamegraph
 * @throws rest.invalid-parameter
 */
export function vertexFlameGraph(
  graphs: Pick<FlameGraphs, 'enabled' | 'of'>,
  asked: {
    readonly jobId: JobId
    readonly vertex: VertexDetails
    readonly subtask: number | undefined
    readonly type: string
  },
): { readonly endTimestamp: number; readonly data?: StackNode } {
  const { jobId, vertex, subtask, type } = asked
  const side = SIDES.find(known => known === type.toUpperCase())
  if (side === undefined)
    throw InvalidParameter({ name: 'type', value: type, expected: 'full, on_cpu or off_cpu' })
  if (!graphs.enabled) return { endTimestamp: DISABLED }
  const isOver = vertex.subtasks.every(
    ({ index, endTime }) => endTime >= 0 || (subtask !== undefined && subtask !== index),
  )
  if (isOver) return { endTimestamp: TERMINATED }
  const graph = graphs.of(jobId, vertex, subtask)
  if (graph === undefined) return { endTimestamp: WAITING }
  return { endTimestamp: graph.endTimestamp, data: sideOf(graph, side) }
}

function sideOf({ profile }: FlameGraph, side: Side): StackNode {
  if (side === 'ON_CPU') return profile.onCpu
  if (side === 'OFF_CPU') return profile.offCpu
  const tree = new StackTree()
  tree.merge(profile.onCpu)
  tree.merge(profile.offCpu)
  return tree.toNode('root')
}
