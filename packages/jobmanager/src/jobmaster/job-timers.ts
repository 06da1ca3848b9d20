import type { Clock, Timer } from '@flink-ts/common'

/** Timers by name; at most one of each runs. Owner: JobMaster main thread. */
export class JobTimers {
  readonly #clock: Clock
  readonly #timers = new Map<string, Timer>()

  constructor(dependencies: { readonly clock: Clock }) {
    this.#clock = dependencies.clock
  }

  /** Replaces the timer of that name. */
  set(name: string, delayMs: number, action: () => void): void {
    this.cancel(name)
    const timer = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(name)
      action()
    })
    this.#timers.set(name, timer)
  }

  cancel(name: string): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
