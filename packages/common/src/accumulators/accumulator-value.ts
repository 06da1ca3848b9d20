/**
 * What an accumulator holds, as plain data: numbers add up, lists are joined, the others say how they are merged. Values
 * of subtasks are merged in order of the subtasks.
 */
export type AccumulatorValue =
  | number
  | readonly unknown[]
  | { readonly kind: 'minimum' | 'maximum'; readonly value: number }
  | { readonly kind: 'average'; readonly count: number; readonly sum: number }
  /** How often each number was seen. */
  | { readonly kind: 'histogram'; readonly counts: readonly (readonly [number, number])[] }
  | StoredList

/** A list that is too large for a message: parts of it are in the blob store of the JobManager, in order. */
export interface StoredList {
  readonly kind: 'stored'
  readonly parts: readonly StoredPart[]
}

/** Elements in a blob, encoded as one array of serialization's tagged values, or right here. */
export type StoredPart = { readonly blobKey: string } | { readonly values: readonly unknown[] }

/** Values by name. */
export type AccumulatorValues = Readonly<Record<string, AccumulatorValue>>

/** Two values of one accumulator as one. Values of different kinds are kept side by side in a list: nothing is lost. */
export function mergeAccumulatorValues(left: AccumulatorValue, right: AccumulatorValue): AccumulatorValue {
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (isStoredList(left) || isStoredList(right))
    return { kind: 'stored', parts: [...partsOf(left), ...partsOf(right)] }
  if (isTagged(left) && isTagged(right)) {
    if (left.kind === 'average' && right.kind === 'average')
      return { kind: 'average', count: left.count + right.count, sum: left.sum + right.sum }
    if (left.kind === 'minimum' && right.kind === 'minimum')
      return { kind: 'minimum', value: Math.min(left.value, right.value) }
    if (left.kind === 'maximum' && right.kind === 'maximum')
      return { kind: 'maximum', value: Math.max(left.value, right.value) }
    if (left.kind === 'histogram' && right.kind === 'histogram') {
      const counts = new Map(left.counts)
      for (const [number, count] of right.counts) counts.set(number, (counts.get(number) ?? 0) + count)
      return { kind: 'histogram', counts: [...counts] }
    }
  }
  return [...listOf(left), ...listOf(right)]
}

/**
 * What the user gets in the result of the job: a number, a list, or for a histogram how often by number. Of a stored list
 * the client makes a list again.
 */
export function accumulatorResult(
  value: AccumulatorValue,
): number | readonly unknown[] | Record<string, number> | StoredList {
  if (!isTagged(value)) return value
  switch (value.kind) {
    case 'stored':
      return value
    case 'minimum':
    case 'maximum':
      return value.value
    case 'average':
      return value.count === 0 ? 0 : value.sum / value.count
    case 'histogram':
      return Object.fromEntries([...value.counts].sort(([a], [b]) => a - b))
  }
}

/** Whether the result of a job has this list in the blob store. */
export function isStoredList(value: unknown): value is StoredList {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'stored'
}

/** Keys of the blobs with large lists among the accumulators of a result. */
export function storedBlobKeys(accumulators: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.values(accumulators).flatMap(value =>
    isStoredList(value) ? value.parts.flatMap(part => ('blobKey' in part ? [part.blobKey] : [])) : [],
  )
}

function partsOf(value: AccumulatorValue): readonly StoredPart[] {
  return isStoredList(value) ? value.parts : [{ values: listOf(value) }]
}

type TaggedValue = Exclude<AccumulatorValue, number | readonly unknown[]>

function isTagged(value: AccumulatorValue): value is TaggedValue {
  return typeof value === 'object' && !Array.isArray(value)
}

function listOf(value: AccumulatorValue): readonly unknown[] {
  return Array.isArray(value) ? value : [accumulatorResult(value)]
}
