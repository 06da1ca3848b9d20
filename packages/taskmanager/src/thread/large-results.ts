import type { AccumulatorValue, AccumulatorValues } from '@flink-ts/common'
import { createValueSerializer, type ValueSerializer } from '@flink-ts/serialization'

/** Lists up to this size travel in messages. */
const INLINE_BYTES = 1024 * 1024
/** About the size of the blobs of a list. */
const BLOB_BYTES = 4 * 1024 * 1024
/** Elements by which the size of the others is estimated. */
const SAMPLE = 1000

/** The accumulators of a task, and those of its lists that have to go through the blob store, encoded in parts. */
export interface SplitResults {
  readonly accumulators: AccumulatorValues
  /** By name, in order. */
  readonly large: Readonly<Record<string, readonly Uint8Array[]>>
}

/** Takes the large lists out of the accumulators of a task. What cannot be encoded stays, and is refused later by name. */
export function splitResults(accumulators: AccumulatorValues): SplitResults {
  const serializer = createValueSerializer()
  const small: Record<string, AccumulatorValue> = {}
  const large: Record<string, readonly Uint8Array[]> = {}
  for (const [name, value] of Object.entries(accumulators)) {
    const parts = Array.isArray(value) ? encodeIfLarge(value, serializer) : undefined
    if (parts === undefined) small[name] = value
    else large[name] = parts
  }
  return { accumulators: small, large }
}

function encodeIfLarge(
  list: readonly unknown[],
  serializer: ValueSerializer,
): readonly Uint8Array[] | undefined {
  try {
    const sample = serializer.encode(list.slice(0, SAMPLE))
    const averageBytes = sample.length / Math.max(1, Math.min(list.length, SAMPLE))
    if (averageBytes * list.length <= INLINE_BYTES) return undefined
    const count = Math.max(1, Math.floor(BLOB_BYTES / averageBytes))
    const parts: Uint8Array[] = []
    for (let from = 0; from < list.length; from += count) {
      parts.push(serializer.encode(list.slice(from, from + count)))
    }
    return parts
  } catch {
    // A value that cannot travel: the message says so, with its place.
    return undefined
  }
}
