/** Before the JSON of a {@link LatencyReading} on standard output. */
export const LATENCY_MARK = 'latency '

/** What one subtask saw. */
export interface LatencyReading {
  /** Records, warm-up included. */
  readonly count: number
  /** From the moment a record was due to the keyed function. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** The least of the values that so many percent of them do not exceed; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}
