import type { Partitioning } from '@flink-ts/jobgraph'
import type { EdgePartitioner } from '@flink-ts/operators'
import { ForwardBetweenParallelisms } from '../errors.ts'
import type { StreamNode, Upstream } from './stream-graph.ts'

/** One input of one node, decided: how it is partitioned, and whether it is a direct call inside a chain. */
export interface PlannedEdge {
  readonly source: StreamNode
  readonly outputTag: string | undefined
  readonly target: StreamNode
  /** Which input of the target. */
  readonly inputIndex: 0 | 1
  readonly partitioner: EdgePartitioner
  readonly partitioning: Partitioning
  readonly chained: boolean
}

/**
 * Decides all edges, in order of their targets. Two operators are chained as in Flink: the second has one input, which
 * is the main output of the first, forwarded; both have the same parallelism and slot sharing group; neither forbids it.
 * @throws streaming.forward-between-parallelisms
 */
export function planEdges(nodes: readonly StreamNode[], chainingEnabled: boolean): readonly PlannedEdge[] {
  return nodes.flatMap(target =>
    target.inputs.map(input => {
      const partitioner = decidePartitioner(input, target)
      return {
        source: input.node,
        outputTag: input.outputTag,
        target,
        inputIndex: input.inputIndex ?? 0,
        partitioner,
        partitioning: partitioner.type,
        chained: chainingEnabled && partitioner.type === 'forward' && canChain(input, target),
      }
    }),
  )
}

function decidePartitioner(input: Upstream, target: StreamNode): EdgePartitioner {
  const same = input.node.parallelism === target.parallelism
  if (input.partitioner === undefined) return { type: same ? 'forward' : 'rebalance' }
  if (input.partitioner.type === 'forward' && !same) {
    throw ForwardBetweenParallelisms({
      source: input.node.label,
      sourceParallelism: input.node.parallelism,
      target: target.label,
      targetParallelism: target.parallelism,
    })
  }
  return input.partitioner
}

function canChain(input: Upstream, target: StreamNode): boolean {
  const source = input.node
  return (
    target.inputs.length === 1 &&
    input.outputTag === undefined &&
    source.parallelism === target.parallelism &&
    source.slotSharingGroup === target.slotSharingGroup &&
    source.chaining !== 'never' &&
    target.chaining === 'always' &&
    (source.maxParallelism === target.maxParallelism || target.maxParallelism === undefined)
  )
}
