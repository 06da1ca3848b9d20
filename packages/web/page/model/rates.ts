import type { IoMetrics } from '../api/shapes.ts'

/** What happened in a vertex between two looks at it. Shares are 0 to 1 of its tasks' time. */
export interface Rates {
  readonly recordsInPerSecond: number
  readonly recordsOutPerSecond: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  readonly busy: number
  readonly backPressured: number
  readonly idle: number
}

/** Counters at a moment. */
export interface Look {
  readonly at: number
  readonly metrics: IoMetrics
}

/**
 * Rates between two looks. Undefined: too close to each other, or a counter went back, as it does when tasks start
 * again.
 */
export function ratesBetween(before: Look, after: Look): Rates | undefined {
  const seconds = (after.at - before.at) / 1000
  if (seconds < 0.2) return undefined
  const grown = (key: keyof IoMetrics): number => (after.metrics[key] ?? 0) - (before.metrics[key] ?? 0)
  const records = [grown('read-records'), grown('write-records')] as const
  const bytes = [grown('read-bytes'), grown('write-bytes')] as const
  const busyMs = grown('accumulated-busy-time')
  const idleMs = grown('accumulated-idle-time')
  const backPressuredMs = grown('accumulated-backpressured-time')
  if (Math.min(...records, ...bytes, busyMs, idleMs, backPressuredMs) < 0) return undefined
  const allMs = busyMs + idleMs + backPressuredMs
  const share = (ms: number): number => (allMs === 0 ? 0 : ms / allMs)
  return {
    recordsInPerSecond: records[0] / seconds,
    recordsOutPerSecond: records[1] / seconds,
    bytesInPerSecond: bytes[0] / seconds,
    bytesOutPerSecond: bytes[1] / seconds,
    busy: share(busyMs),
    backPressured: share(backPressuredMs),
    idle: share(idleMs),
  }
}
