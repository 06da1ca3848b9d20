import { type ELDHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

/** Timers that measure are set so often. */
const RESOLUTION_MS = 50
/** Delays are told of stretches of so many readings. */
const READINGS = 10

/** What a slot thread measures of itself, besides its tasks. */
export interface ThreadMeasures {
  readonly collections: number
  readonly collectionMs: number
  /** How late the event loop came to what was due, lately. */
  readonly delayMeanMs: number
  readonly delayP99Ms: number
  readonly delayMaxMs: number
}

/** Measures the thread that it is made in. Owner: that thread. */
export class ThreadMetrics {
  readonly #delay: ELDHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #collections = 0
  #collectionMs = 0
  #readings = 0

  constructor() {
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) {
        this.#collections++
        this.#collectionMs += duration
      }
    }).observe({ entryTypes: ['gc'] })
    this.#delay.enable()
  }

  /** To be called at regular times. */
  read(): ThreadMeasures {
    const beyond = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS)
    const any = this.#delay.count > 0
    const measures = {
      collections: this.#collections,
      collectionMs: Math.round(this.#collectionMs),
      delayMeanMs: any ? beyond(this.#delay.mean) : 0,
      delayP99Ms: any ? beyond(this.#delay.percentile(99)) : 0,
      delayMaxMs: any ? beyond(this.#delay.max) : 0,
    }
    if (++this.#readings % READINGS === 0) this.#delay.reset()
    return measures
  }
}
