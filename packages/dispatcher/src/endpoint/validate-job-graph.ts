import type { JobEdge, JobGraph, JobVertex } from '@flink-ts/jobgraph'

/** Number of key groups at most, as in Flink. */
const MAX_PARALLELISM = 32_768
const ID = /^[0-9a-f]{32}$/

/** What is wrong with a graph; empty: nothing. The values come from a client of whatever version. */
export function validateJobGraph(graph: JobGraph): readonly string[] {
  const shapes = shapeProblems(graph)
  if (shapes.length > 0) return shapes
  const problems: string[] = []
  if (!ID.test(graph.jobId)) problems.push(`the job id '${graph.jobId}' is not 32 hex characters`)
  if (graph.vertices.length === 0)
    problems.push('it has no operators: add a source and a sink before execute')
  const vertices = new Map<string, JobVertex>()
  const operators = new Map<string, string>()
  for (const vertex of graph.vertices) {
    problems.push(...vertexProblems(vertex))
    if (vertices.has(vertex.id)) problems.push(`the vertex id ${vertex.id} occurs twice`)
    vertices.set(vertex.id, vertex)
    for (const { operatorId, name } of vertex.operators) {
      const other = operators.get(operatorId)
      if (other !== undefined) {
        problems.push(
          `'${other}' and '${name}' have the same state id ${operatorId}: give them different uids`,
        )
      }
      operators.set(operatorId, name)
    }
  }
  const edgeIds = new Set<number>()
  for (const edge of graph.edges) {
    if (edgeIds.has(edge.edgeId)) problems.push(`the edge id ${edge.edgeId} occurs twice`)
    edgeIds.add(edge.edgeId)
    problems.push(...edgeProblems(edge, vertices))
  }
  if (problems.length === 0 && hasCycle(graph)) problems.push('its edges form a cycle')
  problems.push(...checkpointProblems(graph))
  return problems
}

function shapeProblems(graph: Partial<JobGraph>): readonly string[] {
  const problems: string[] = []
  if (typeof graph.jobId !== 'string') problems.push('its job id is missing')
  if (!Array.isArray(graph.vertices)) problems.push('its vertices are missing')
  else if (
    !graph.vertices.every(vertex => Array.isArray(vertex?.operators) && vertex.operators.every(isObject))
  ) {
    problems.push('a vertex has no list of operators, or an empty place in it')
  }
  if (!Array.isArray(graph.edges)) problems.push('its edges are missing')
  else if (!graph.edges.every(isObject)) problems.push('an edge is no object')
  if (typeof graph.checkpointing !== 'object' || graph.checkpointing === null)
    problems.push('its checkpoint settings are missing')
  return problems
}

function vertexProblems({ name, parallelism, maxParallelism, operators }: JobVertex): readonly string[] {
  const problems: string[] = []
  if (!isPositiveInteger(parallelism))
    problems.push(`'${name}' has the parallelism ${parallelism}: give 1 or more`)
  if (!isPositiveInteger(maxParallelism) || maxParallelism > MAX_PARALLELISM) {
    problems.push(`'${name}' has the max parallelism ${maxParallelism}: give 1 to ${MAX_PARALLELISM}`)
  } else if (parallelism > maxParallelism) {
    problems.push(
      `'${name}' has the parallelism ${parallelism} but at most ${maxParallelism} key groups: ` +
        'lower the parallelism or raise the max parallelism',
    )
  }
  if (operators.length === 0) problems.push(`'${name}' has no operators`)
  return problems
}

function edgeProblems(edge: JobEdge, vertices: ReadonlyMap<string, JobVertex>): readonly string[] {
  const source = vertices.get(edge.source)
  const target = vertices.get(edge.target)
  if (source === undefined) return [`edge ${edge.edgeId} comes from the unknown vertex ${edge.source}`]
  if (target === undefined) return [`edge ${edge.edgeId} goes to the unknown vertex ${edge.target}`]
  if (!source.operators.some(operator => operator.nodeId === edge.sourceNodeId)) {
    return [`edge ${edge.edgeId} comes from node ${edge.sourceNodeId}, which '${source.name}' does not have`]
  }
  if (edge.partitioning === 'forward' && source.parallelism !== target.parallelism) {
    return [
      `'${source.name}' (parallelism ${source.parallelism}) is connected to '${target.name}' (parallelism ` +
        `${target.parallelism}) by forward: make them equal or call rebalance() between them`,
    ]
  }
  return []
}

function hasCycle(graph: JobGraph): boolean {
  const open = new Map(
    graph.vertices.map(v => [v.id, graph.edges.filter(edge => edge.target === v.id).length]),
  )
  const ready = [...open].filter(([, inputs]) => inputs === 0).map(([id]) => id)
  let seen = 0
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    seen++
    for (const { source, target } of graph.edges) {
      if (source !== id) continue
      const left = open.get(target)! - 1
      open.set(target, left)
      if (left === 0) ready.push(target)
    }
  }
  return seen < graph.vertices.length
}

function checkpointProblems({ checkpointing }: JobGraph): readonly string[] {
  const { intervalMs, minPauseMs, timeoutMs, maxConcurrent, retained, tolerableFailures } = checkpointing
  const problems: string[] = []
  if (intervalMs !== undefined && !(intervalMs > 0))
    problems.push(`the checkpoint interval ${intervalMs} ms is not positive`)
  if (!(timeoutMs > 0)) problems.push(`the checkpoint timeout ${timeoutMs} ms is not positive`)
  if (!(minPauseMs >= 0)) problems.push(`the pause between checkpoints ${minPauseMs} ms is negative`)
  if (!isPositiveInteger(maxConcurrent))
    problems.push(`${maxConcurrent} concurrent checkpoints: give 1 or more`)
  if (!isPositiveInteger(retained)) problems.push(`${retained} retained checkpoints: give 1 or more`)
  if (!(tolerableFailures >= 0))
    problems.push(`${tolerableFailures} tolerable checkpoint failures: give 0 or more`)
  return problems
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}
