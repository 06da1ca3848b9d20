/** Before the JSON of a {@link MeasuredRun} on standard output. */
export const RUN_MARK = 'measured '

/** What one reader saw of a run, from the end of its warm-up to its last event. Times of all readers compare. */
export interface MeasuredRun {
  readonly events: number
  /** By the clock, and of all threads of the process together: collector and compiler included. */
  readonly from: { readonly wallMs: number; readonly cpuMs: number }
  readonly to: { readonly wallMs: number; readonly cpuMs: number }
}

/** The moment, for all threads of the process alike. */
export function moment(): MeasuredRun['from'] {
  const { user, system } = process.cpuUsage()
  return { wallMs: performance.timeOrigin + performance.now(), cpuMs: (user + system) / 1000 }
}

/** Of the events of a reader, those that only warm it up. */
export const warmUpOf = (events: number): number => Math.floor(events / 4)

/** Thousand events a second, by the clock and of CPU time, of all readers together. */
export function ratesOf(runs: readonly MeasuredRun[]): {
  readonly perSecond: number
  readonly perCpuSecond: number
} {
  const events = runs.reduce((sum, run) => sum + run.events, 0)
  const span = (time: 'wallMs' | 'cpuMs'): number =>
    Math.max(...runs.map(run => run.to[time])) - Math.min(...runs.map(run => run.from[time]))
  return { perSecond: events / span('wallMs'), perCpuSecond: events / span('cpuMs') }
}
