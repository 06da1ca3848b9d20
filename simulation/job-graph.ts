import type { JobId, JobVertexId, OperatorId } from '@flink-ts/common'
import type { JobEdge, JobGraph, JobVertex, RestoreSettings } from '@flink-ts/jobgraph'
import type { JobPlan } from './scenario.ts'
import { KEYS } from './workload.ts'

/** The graph of one submission of a job. */
export function jobGraphOf(
  plan: JobPlan,
  submission: {
    readonly jobId: JobId
    readonly parallelism: number
    readonly restoreFrom: RestoreSettings | undefined
  },
): JobGraph {
  const { topology, separateSlots, workload, checkpointing, restartDelayMs } = plan
  const kinds = topology === 'map' ? ['source', 'map', 'sink'] : ['source', 'sink']
  const vertices = kinds.map((kind, index): JobVertex => {
    const operator = {
      nodeId: index + 1,
      operatorId: idOf(`operator-${kind}`) as OperatorId,
      uid: kind,
      name: kind,
      kind,
      chainedOutputs: [],
      ...(plan.coordinated && kind === 'source' && { coordinated: true }),
    }
    return {
      id: idOf(`vertex-${kind}`) as JobVertexId,
      name: kind,
      parallelism: submission.parallelism,
      maxParallelism: KEYS,
      slotSharingGroup: separateSlots ? kind : 'default',
      operators: [operator],
    }
  })
  const edges = vertices.slice(1).map((target, edgeId): JobEdge => {
    const isLast = edgeId === vertices.length - 2
    return {
      edgeId,
      source: vertices[edgeId]!.id,
      sourceNodeId: edgeId + 1,
      outputTag: undefined,
      target: target.id,
      targetInput: 0,
      partitioning: topology !== 'forward' && isLast ? 'hash' : 'forward',
    }
  })
  return {
    jobId: submission.jobId,
    name: workload.name,
    vertices,
    edges,
    fingerprint: 'simulated',
    fingerprintLines: [],
    checkpointing,
    restoreFrom: submission.restoreFrom,
    // Whatever happens, trying again helps in the end.
    restartStrategy: { type: 'fixed-delay', attempts: 1000, delayMs: restartDelayMs },
    autoWatermarkIntervalMs: 200,
    bufferTimeoutMs: 100,
    globalJobParameters: {},
  }
}

/** 32 hexadecimal characters that stand for a name. */
function idOf(name: string): string {
  return Buffer.from(name.padEnd(16, '.')).subarray(0, 16).toString('hex')
}
