/** How unevenly an amount is spread over subtasks. */
export interface Skew {
  readonly total: number
  readonly average: number
  readonly most: number
  readonly least: number
  /** Index of the subtask that has most. */
  readonly mostAt: number
  /** 0: all have the same. 1: one has everything. The number that the API tells as skew in percent. */
  readonly unevenness: number
}

/** Undefined: there is nothing to compare. */
export function skewOf(amounts: readonly number[]): Skew | undefined {
  const total = amounts.reduce((sum, value) => sum + value, 0)
  if (amounts.length < 2 || total <= 0) return undefined
  const average = total / amounts.length
  let mostAt = 0
  let least = Number.POSITIVE_INFINITY
  let deviation = 0
  for (const [index, value] of amounts.entries()) {
    if (value > (amounts[mostAt] ?? 0)) mostAt = index
    least = Math.min(least, value)
    deviation += Math.abs(value - average)
  }
  return {
    ...{ total, average, least, mostAt, most: amounts[mostAt] ?? 0 },
    unevenness: (deviation * amounts.length) / (2 * total * (amounts.length - 1)),
  }
}
