import { getHeapStatistics } from 'node:v8'

/** Before the JSON of a {@link MeasuredRun} on standard output. */
export const RUN_MARK = 'measured '

/** What one reader saw of a run, from the end of its warm-up to its last event. Times of all readers compare. */
export interface MeasuredRun {
  readonly events: number
  /** By the clock, and of all threads of the process together: collector and compiler included. */
  readonly from: { readonly wallMs: number; readonly cpuMs: number }
  readonly to: { readonly wallMs: number; readonly cpuMs: number }
  /** Of several runs in one process; missing: the only one. */
  readonly run?: number
  readonly memory?: MemoryUse
}

/** At the last event. */
export interface MemoryUse {
  /** Highest so far, of the process. */
  readonly rssBytes: number
  /** Of the reader's thread: what lives, and what is not collected yet. */
  readonly heapBytes: number
}

/** Thousand events a second, by the clock and of CPU time. */
export interface RunRates {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/** The moment, for all threads of the process alike. */
export function moment(): MeasuredRun['from'] {
  const { user, system } = process.cpuUsage()
  return { wallMs: performance.timeOrigin + performance.now(), cpuMs: (user + system) / 1000 }
}

export function memoryUse(): MemoryUse {
  return {
    rssBytes: process.resourceUsage().maxRSS * 1024,
    heapBytes: getHeapStatistics().used_heap_size,
  }
}

/** Of the events of a reader, those that only warm it up. */
export const warmUpOf = (events: number): number => Math.floor(events / 4)

/** Thousand events a second, by the clock and of CPU time, of all readers together. */
export function ratesOf(runs: readonly MeasuredRun[]): RunRates {
  const events = runs.reduce((sum, run) => sum + run.events, 0)
  const span = (time: 'wallMs' | 'cpuMs'): number =>
    Math.max(...runs.map(run => run.to[time])) - Math.min(...runs.map(run => run.from[time]))
  return { perSecond: events / span('wallMs'), perCpuSecond: events / span('cpuMs') }
}

/** The runs in what a process printed. */
export function runsIn(output: string): readonly MeasuredRun[] {
  return output
    .split('\n')
    .filter(line => line.includes(RUN_MARK))
    .map(line => JSON.parse(line.slice(line.indexOf(RUN_MARK) + RUN_MARK.length)) as MeasuredRun)
}

/**
 * Of several runs in one process, the best per CPU second. The first one is cold and counts only if it is alone.
 * @throws Error if a run was not reported by all of its readers
 */
export function bestWarmRun(runs: readonly MeasuredRun[], readers: number): RunRates {
  const byNumber = Map.groupBy(runs, ({ run = 0 }) => run)
  const warm = [...byNumber.entries()].toSorted(([a], [b]) => a - b).slice(byNumber.size > 1 ? 1 : 0)
  const rates = warm.map(([number, readings]) => {
    if (readings.length === readers) return ratesOf(readings)
    throw new Error(`run ${number} was reported by ${readings.length} readers, not ${readers}`)
  })
  const [best] = rates.toSorted((a, b) => b.perCpuSecond - a.perCpuSecond)
  if (best === undefined) throw new Error('no run was reported')
  return best
}
