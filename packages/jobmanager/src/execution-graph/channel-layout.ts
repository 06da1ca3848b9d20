import type { Partitioning } from '@flink-ts/jobgraph'

/**
 * The consuming subtasks that subtask `producer` has a channel to, ascending. forward: the one of the same index;
 * rescale: Flink's pointwise pattern, neighbours in proportion; all others: every one. Both ends see the same
 * channels: `consumersOf(p)` has c exactly if `producersOf(c)` has p.
 */
export function consumersOf(
  partitioning: Partitioning,
  producer: number,
  producers: number,
  consumers: number,
): readonly number[] {
  if (partitioning === 'forward') return producer < consumers ? [producer] : []
  if (partitioning !== 'rescale') return range(0, consumers)
  if (producers >= consumers) return [Math.floor((producer * consumers) / producers)]
  return range(
    Math.ceil((producer * consumers) / producers),
    Math.ceil(((producer + 1) * consumers) / producers),
  )
}

/** The producing subtasks that subtask `consumer` has a channel from, ascending. */
export function producersOf(
  partitioning: Partitioning,
  consumer: number,
  producers: number,
  consumers: number,
): readonly number[] {
  if (partitioning === 'forward') return consumer < producers ? [consumer] : []
  if (partitioning !== 'rescale') return range(0, producers)
  if (producers <= consumers) return [Math.floor((consumer * producers) / consumers)]
  return range(
    Math.ceil((consumer * producers) / consumers),
    Math.ceil(((consumer + 1) * producers) / consumers),
  )
}

function range(start: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i)
}
