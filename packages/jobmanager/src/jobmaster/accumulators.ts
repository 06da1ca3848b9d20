import {
  type AccumulatorValue,
  type AccumulatorValues,
  accumulatorResult,
  mergeAccumulatorValues,
} from '@flink-ts/common'

/** Merges what the subtasks reported at their ends, in order of the subtasks, into what the user gets. */
export function mergeAccumulators(
  parts: Iterable<AccumulatorValues | undefined>,
): Readonly<Record<string, unknown>> {
  const merged = new Map<string, AccumulatorValue>()
  for (const part of parts) {
    for (const [name, value] of Object.entries(part ?? {})) {
      const known = merged.get(name)
      merged.set(name, known === undefined ? value : mergeAccumulatorValues(known, value))
    }
  }
  return Object.fromEntries([...merged].map(([name, value]) => [name, accumulatorResult(value)]))
}
