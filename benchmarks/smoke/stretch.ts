/** A thread's work on some records. */
export interface Stretch {
  readonly records: number
  /** CPU time of the thread alone: not of the garbage collector's and compiler's helpers. */
  readonly cpuMs: number
  readonly wallMs: number
}

/** Before the JSON of a {@link Stretch} on standard output. */
export const STRETCH_MARK = 'stretch '

/** Begins to measure the calling thread; the function returned ends it. */
export function beginStretch(): (records: number) => Stretch {
  const wallStart = performance.now()
  const before = process.threadCpuUsage()
  return records => {
    const { user, system } = process.threadCpuUsage(before)
    return { records, cpuMs: (user + system) / 1000, wallMs: performance.now() - wallStart }
  }
}

/** Of the `records` of a run, those that only warm it up. */
export const warmUpOf = (records: number): number => Math.floor(records / 5)
