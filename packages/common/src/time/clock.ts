/** A running timer; {@link Timer.cancel} is idempotent. */
export interface Timer {
  cancel(): void
}

/** Time as a parameter: the control plane takes this so that a simulation can drive it (DESIGN 9). */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds from an arbitrary origin; never goes back. For durations and timeouts. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`. A pending timer does not keep the process alive when `unref` is true. */
  schedule(delayMs: number, action: () => void, options?: { unref?: boolean }): Timer
  /** Runs `action` every `periodMs`, first after one period. */
  scheduleEvery(periodMs: number, action: () => void, options?: { unref?: boolean }): Timer
}

// Taken when this module is loaded: while a program is planned, `Date.now` is one that records what main reads, and
// readings of the runtime must not come in between.
const systemNow = Date.now
const systemPerformanceNow = performance.now.bind(performance)

/** The machine's clock. */
export class SystemClock implements Clock {
  now(): number {
    return systemNow()
  }

  monotonicMs(): number {
    return systemPerformanceNow()
  }

  schedule(delayMs: number, action: () => void, options?: { unref?: boolean }): Timer {
    const handle = setTimeout(action, delayMs)
    if (options?.unref === true) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }

  scheduleEvery(periodMs: number, action: () => void, options?: { unref?: boolean }): Timer {
    const handle = setInterval(action, periodMs)
    if (options?.unref === true) handle.unref()
    return { cancel: () => clearInterval(handle) }
  }
}
