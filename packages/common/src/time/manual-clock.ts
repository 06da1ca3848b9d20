import type { Clock, Timer } from './clock.ts'

interface Entry {
  readonly order: number
  dueMs: number
  readonly periodMs: number | undefined
  readonly action: () => void
  cancelled: boolean
}

/** A clock that stands still until {@link ManualClock.advance}: timers due run in order of time, then of scheduling. */
export class ManualClock implements Clock {
  #entries: Entry[] = []
  #elapsedMs = 0
  #order = 0
  readonly #originMs: number

  constructor(originMs = 1_700_000_000_000) {
    this.#originMs = originMs
  }

  now(): number {
    return this.#originMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    return this.#add(delayMs, undefined, action)
  }

  scheduleEvery(periodMs: number, action: () => void): Timer {
    return this.#add(periodMs, periodMs, action)
  }

  /** When the next timer is due, in milliseconds from now; undefined if none is pending. */
  nextDueInMs(): number | undefined {
    const next = this.#next()
    return next === undefined ? undefined : next.dueMs - this.#elapsedMs
  }

  /** Moves time on by `ms` and runs everything that becomes due, timers scheduled meanwhile included. */
  advance(ms: number): void {
    const target = this.#elapsedMs + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.dueMs > target) break
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      if (next.periodMs === undefined) next.cancelled = true
      else next.dueMs += next.periodMs
      next.action()
    }
    this.#elapsedMs = target
  }

  #add(delayMs: number, periodMs: number | undefined, action: () => void): Timer {
    const dueMs = this.#elapsedMs + Math.max(0, delayMs)
    const entry: Entry = { order: this.#order++, dueMs, periodMs, action, cancelled: false }
    this.#entries.push(entry)
    return {
      cancel: () => {
        entry.cancelled = true
      },
    }
  }

  #next(): Entry | undefined {
    this.#entries = this.#entries.filter(e => !e.cancelled)
    let best: Entry | undefined
    for (const e of this.#entries) {
      if (best === undefined || e.dueMs < best.dueMs || (e.dueMs === best.dueMs && e.order < best.order))
        best = e
    }
    return best
  }
}
