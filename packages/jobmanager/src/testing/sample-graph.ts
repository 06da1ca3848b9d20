import type { JobId, JobVertexId, OperatorId } from '@flink-ts/common'
import type {
  CheckpointSettings,
  JobEdge,
  JobGraph,
  JobVertex,
  Partitioning,
  RestartStrategy,
} from '@flink-ts/jobgraph'

/** For tests: a graph from `name*parallelism` words and edges `a>b` or `a>b:forward`; hash if nothing is said. */
export function sampleGraph(
  vertices: string,
  edges: string,
  settings: {
    readonly checkpointing?: Partial<CheckpointSettings>
    readonly restartStrategy?: RestartStrategy
  } = {},
): JobGraph {
  const parsed = vertices.split(' ').map((word, index): JobVertex => {
    const [name = '', rest = '1'] = word.split('*')
    const [parallelism, group = 'default'] = rest.split('@')
    return {
      id: name as JobVertexId,
      name,
      parallelism: Number(parallelism),
      maxParallelism: 128,
      slotSharingGroup: group,
      operators: [
        {
          nodeId: index + 1,
          operatorId: `op-${name}` as OperatorId,
          uid: undefined,
          name,
          kind: 'map',
          chainedOutputs: [],
        },
      ],
    }
  })
  const words = edges === '' ? [] : edges.split(' ')
  return {
    jobId: 'a'.repeat(32) as JobId,
    name: 'sample',
    vertices: parsed,
    edges: words.map((word, edgeId): JobEdge => {
      const [path = '', partitioning = 'hash'] = word.split(':')
      const [source, target] = path.split('>') as [JobVertexId, JobVertexId]
      const sourceNodeId = parsed.findIndex(vertex => vertex.id === source) + 1
      return {
        edgeId,
        source,
        sourceNodeId,
        outputTag: undefined,
        target,
        targetInput: 0,
        partitioning: partitioning as Partitioning,
      }
    }),
    fingerprint: 'f',
    fingerprintLines: [],
    checkpointing: {
      intervalMs: 1000,
      mode: 'exactly-once',
      minPauseMs: 0,
      timeoutMs: 60_000,
      maxConcurrent: 1,
      tolerableFailures: 0,
      directory: 'file:///checkpoints',
      retained: 1,
      externalizedRetention: 'no-externalized-checkpoints',
      ...settings.checkpointing,
    },
    restoreFrom: undefined,
    restartStrategy: settings.restartStrategy,
    autoWatermarkIntervalMs: 200,
    bufferTimeoutMs: 100,
    globalJobParameters: {},
  }
}

/** For tests: the same job, with a coordinator for the first operator of its first vertex. */
export function withCoordinator(graph: JobGraph): JobGraph {
  const [source, ...rest] = graph.vertices
  const operators = source!.operators.map((operator, i) =>
    i === 0 ? { ...operator, coordinated: true } : operator,
  )
  return { ...graph, vertices: [{ ...source!, operators }, ...rest] }
}
