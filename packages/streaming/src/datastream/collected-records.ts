import type { JobExecutionResult } from '@flink-ts/jobgraph'
import { collectOperator } from '@flink-ts/operators'
import type { Upstream } from '../graph/stream-graph.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** Adds an operator that collects all records; gives the way to them in the result of the job. */
export function addCollector<T>(
  call: string,
  builder: GraphBuilder,
  upstreams: readonly Upstream[],
): (result: JobExecutionResult) => T[] {
  const name = `collect-${(upstreams[0]?.node.graph.nodes.length ?? 0) + 1}`
  const node = builder.addOperator(call, {
    defaultName: 'Collect',
    factory: collectOperator(name),
    inputs: upstreams,
    nonParallel: true,
  })
  node.setParallelism(1)
  return result => (result.accumulators[name] ?? []) as T[]
}
