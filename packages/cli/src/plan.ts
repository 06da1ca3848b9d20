import type { JobEdge, JobGraph, JobVertex } from '@flink-ts/jobgraph'

/** The plan of a job in the shape of REST's `/jobs/:jobid/plan`, for programs. */
export function planAsJson(graph: JobGraph): object {
  return {
    plan: {
      jid: graph.jobId,
      name: graph.name,
      type: 'STREAMING',
      nodes: inOrder(graph).map(vertex => ({
        id: vertex.id,
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
        description: vertex.name,
        operators: vertex.operators.map(({ name, kind, uid }) => ({ name, kind, ...(uid && { uid }) })),
        inputs: inputsOf(graph, vertex).map((edge, num) => ({
          num,
          id: edge.source,
          ship_strategy: edge.partitioning.toUpperCase(),
          ...(edge.outputTag !== undefined && { output_tag: edge.outputTag }),
        })),
      })),
    },
  }
}

/**
 * The plan as lines for people: the vertices in the order in which records pass them, each with its chained operators
 * and, below, where its records go.
 */
export function planAsText(graph: JobGraph): readonly string[] {
  const vertices = inOrder(graph)
  const numbers = new Map(vertices.map((vertex, index) => [vertex.id, index + 1]))
  const most = Math.max(0, ...vertices.map(vertex => vertex.parallelism))
  const lines = [
    `${graph.name}: ${vertices.length} ${vertices.length === 1 ? 'vertex' : 'vertices'}, ${slotsOf(graph)} slots, ` +
      `highest parallelism ${most}`,
  ]
  for (const vertex of vertices) {
    lines.push(`(${numbers.get(vertex.id)}) ${vertex.name}  [parallelism ${vertex.parallelism}]`)
    const outputs = graph.edges.filter(edge => edge.source === vertex.id)
    for (const [index, edge] of outputs.entries()) {
      const last = index === outputs.length - 1
      const side = edge.outputTag === undefined ? '' : `, side output ${edge.outputTag}`
      lines.push(`     ${last ? '└' : '├'}─ ${edge.partitioning}${side} ─▶ (${numbers.get(edge.target)})`)
    }
  }
  return lines
}

/** Slots that a job needs. By slot sharing: of each group its highest parallelism. */
export function slotsOf(graph: JobGraph): number {
  const groups = new Map<string, number>()
  for (const { slotSharingGroup, parallelism } of graph.vertices) {
    groups.set(slotSharingGroup, Math.max(groups.get(slotSharingGroup) ?? 0, parallelism))
  }
  return [...groups.values()].reduce((sum, slots) => sum + slots, 0)
}

function inputsOf(graph: JobGraph, vertex: JobVertex): readonly JobEdge[] {
  return graph.edges.filter(edge => edge.target === vertex.id)
}

/** Topological: producers first; otherwise as in the graph. A cycle's vertices come as in the graph. */
function inOrder(graph: JobGraph): readonly JobVertex[] {
  const ordered: JobVertex[] = []
  const done = new Set<string>()
  let rest = [...graph.vertices]
  while (rest.length > 0) {
    const ready = rest.find(vertex => inputsOf(graph, vertex).every(edge => done.has(edge.source)))
    const next = ready ?? (rest[0] as JobVertex)
    ordered.push(next)
    done.add(next.id)
    rest = rest.filter(vertex => vertex !== next)
  }
  return ordered
}
