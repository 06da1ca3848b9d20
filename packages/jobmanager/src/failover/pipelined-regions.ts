import type { JobVertexId } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
import { consumersOf } from '../execution-graph/channel-layout.ts'

/** Names a subtask within its job: `<vertex id>/<index>`. */
export type SubtaskKey = `${string}/${number}`

/** The key of a subtask. */
export function subtaskKey(vertexId: JobVertexId, index: number): SubtaskKey {
  return `${vertexId}/${index}`
}

/**
 * The failover regions of a job: sets of subtasks that are connected by channels or share a slot (subtask i of all
 * vertices of a slot sharing group). Restarting one region touches no channel and no slot of another. Subtasks in
 * order of the graph; each subtask is in exactly one region.
 */
export function pipelinedRegions(graph: JobGraph): readonly (readonly SubtaskKey[])[] {
  const parent = new Map<SubtaskKey, SubtaskKey>()
  const find = (key: SubtaskKey): SubtaskKey => {
    let root = key
    while (parent.get(root) !== root) root = parent.get(root)!
    for (let at = key; at !== root; ) {
      const next = parent.get(at)!
      parent.set(at, root)
      at = next
    }
    return root
  }
  const union = (a: SubtaskKey, b: SubtaskKey): void => {
    parent.set(find(b), find(a))
  }
  const slots = new Map<string, SubtaskKey>()
  for (const vertex of graph.vertices) {
    for (let index = 0; index < vertex.parallelism; index++) {
      const key = subtaskKey(vertex.id, index)
      parent.set(key, key)
      const slot = `${vertex.slotSharingGroup}/${index}`
      const sharing = slots.get(slot)
      if (sharing === undefined) slots.set(slot, key)
      else union(sharing, key)
    }
  }
  const vertices = new Map(graph.vertices.map(vertex => [vertex.id, vertex]))
  for (const edge of graph.edges) {
    const producers = vertices.get(edge.source)!.parallelism
    const consumers = vertices.get(edge.target)!.parallelism
    for (let p = 0; p < producers; p++) {
      for (const c of consumersOf(edge.partitioning, p, producers, consumers)) {
        union(subtaskKey(edge.source, p), subtaskKey(edge.target, c))
      }
    }
  }
  const regions = new Map<SubtaskKey, SubtaskKey[]>()
  for (const key of parent.keys()) {
    const root = find(key)
    const region = regions.get(root)
    if (region === undefined) regions.set(root, [key])
    else region.push(key)
  }
  return [...regions.values()]
}
