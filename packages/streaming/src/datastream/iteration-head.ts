import { type Duration, durationMs, iterationHeadOperator } from '@flink-ts/operators'
import { InvalidArgument, IterationNotClosed } from '../errors.ts'
import type { StreamNode, Upstream } from '../graph/stream-graph.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** How a loop ends, and what it may hold. */
export interface IterateOptions {
  /** How long to wait for records to come back when the input has ended; 5 s if absent. */
  readonly maxWait?: Duration
  /**
   * Records that may be on their way back at a time in each subtask; 100,000 if absent. From half of it on no more input
   * is taken; beyond it the job fails.
   */
  readonly maxFeedback?: number
}

/** A loop of the job being built. */
export interface Loop {
  /** Number in its job, from 0. */
  readonly iteration: number
  /** Whether it is known what comes back. */
  closed: boolean
}

/** Adds the beginning of a loop. @throws streaming.invalid-argument; at execution, streaming.iteration-not-closed */
export function addIterationHead(
  builder: GraphBuilder,
  upstreams: readonly Upstream[],
  options: IterateOptions,
): { readonly head: StreamNode; readonly loop: Loop } {
  const { maxWait = '5 s', maxFeedback = 100_000 } = options
  if (!Number.isSafeInteger(maxFeedback) || maxFeedback < 1) {
    throw InvalidArgument({
      call: 'iterate',
      value: `maxFeedback ${String(maxFeedback)}`,
      expected: 'a whole number of records from 1',
    })
  }
  const nodes = upstreams[0]?.node.graph.nodes ?? []
  const iteration = nodes.filter(({ factory }) => factory.kind === 'iteration-head').length
  const loop: Loop = { iteration, closed: false }
  const head = builder.addOperator('iterate', {
    defaultName: 'Iteration Head',
    factory: iterationHeadOperator({ iteration, maxWaitMs: durationMs(maxWait, 'iterate'), maxFeedback }),
    inputs: upstreams,
    batch: { impossible: 'a loop has no end that it could wait for. Leave iterate out.' },
    check: node => {
      if (!loop.closed) throw IterationNotClosed({ operator: node.label })
    },
  })
  // As its input: what comes back keeps its subtask.
  const input = upstreams[0]?.node.parallelism
  if (input !== undefined) head.setParallelism(input)
  return { head, loop }
}
