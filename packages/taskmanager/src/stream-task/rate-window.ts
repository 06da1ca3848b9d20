import type { Clock } from '@flink-ts/common'
import type { TaskRates } from '@flink-ts/gateways'

/** Of Flink's meters. */
const WINDOW_MS = 60_000
/** Shorter stretches say nothing about a rate. */
const MIN_STRETCH_MS = 500

/**
 * How fast counters grow: in each second, over the last minute, or over their whole life if that is shorter. Costs
 * nothing for records: it looks when it is asked. Owner: the task.
 */
export class RateWindow {
  readonly #clock: Clock
  /** Oldest first; the first one is the latest of those that are older than the window, if there is one. */
  readonly #samples: { readonly atMs: number; readonly counts: TaskRates }[] = []
  #rates: TaskRates

  /** @param start what the counters are now */
  constructor(start: TaskRates, dependencies: { clock: Clock }) {
    this.#clock = dependencies.clock
    this.#samples.push({ atMs: this.#clock.monotonicMs(), counts: start })
    this.#rates = eachOf(() => 0)
  }

  /** Rates in each second; to be asked about once a second. */
  rates(counts: TaskRates): TaskRates {
    const nowMs = this.#clock.monotonicMs()
    const samples = this.#samples
    while (samples.length > 1 && (samples[1] as { atMs: number }).atMs <= nowMs - WINDOW_MS) samples.shift()
    const oldest = samples[0] as { readonly atMs: number; readonly counts: TaskRates }
    const newest = samples.at(-1) as { readonly atMs: number }
    if (nowMs - newest.atMs >= MIN_STRETCH_MS) {
      samples.push({ atMs: nowMs, counts })
      const seconds = (nowMs - oldest.atMs) / 1000
      this.#rates = eachOf(counter => (counts[counter] - oldest.counts[counter]) / seconds)
    }
    return this.#rates
  }
}

type Counter = keyof TaskRates

function eachOf(rate: (counter: Counter) => number): TaskRates {
  return {
    recordsIn: rate('recordsIn'),
    recordsOut: rate('recordsOut'),
    bytesIn: rate('bytesIn'),
    bytesOut: rate('bytesOut'),
  }
}
