import type { Clock, Timer } from '@flink-ts/common'

interface Action {
  /** Index of the operator in its chain. */
  readonly operator: number
  readonly kind: 'execute' | 'timer'
  readonly run: () => void
}

/**
 * What operators have asked to be run between records: results of asynchronous work and processing-time timers. An
 * action waits while a record from its operator would meet an unfinished watermark or an unfinished life-cycle call.
 * Owner: the task.
 */
export class OperatorActions {
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #failure: (operator: number, step: string, thrown: unknown) => unknown
  readonly #timers = new Set<Timer>()
  #actions: Action[] = []
  #closed = false

  /** @param failure makes the error for what an action of an operator has thrown */
  constructor(dependencies: {
    clock: Clock
    wake: () => void
    failure: (operator: number, step: string, thrown: unknown) => unknown
  }) {
    this.#failure = dependencies.failure
    this.#clock = dependencies.clock
    this.#wake = dependencies.wake
  }

  /** There is something to run, allowed or not. */
  get waiting(): boolean {
    return this.#actions.length > 0
  }

  execute(operator: number, run: () => void): void {
    this.#add({ operator, kind: 'execute', run })
  }

  /** @param time milliseconds since the epoch */
  schedule(operator: number, time: number, run: () => void): { cancel(): void } {
    let cancelled = false
    const timer = this.#clock.schedule(Math.max(0, time - this.#clock.now()), () => {
      this.#timers.delete(timer)
      const runUnlessCancelled = (): void => {
        if (!cancelled) run()
      }
      this.#add({ operator, kind: 'timer', run: runUnlessCancelled })
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        cancelled = true
        timer.cancel()
        this.#timers.delete(timer)
      },
    }
  }

  /** Runs those that `allowed` lets through, in order; true if there were any. */
  runAllowed(allowed: (operator: number, kind: Action['kind']) => boolean): boolean {
    if (this.#actions.length === 0) return false
    const actions = this.#actions
    this.#actions = []
    let ran = false
    for (const [i, action] of actions.entries()) {
      if (this.#closed) break
      if (!allowed(action.operator, action.kind)) {
        this.#actions.push(action)
        continue
      }
      ran = true
      try {
        action.run()
      } catch (error) {
        this.#actions.push(...actions.slice(i + 1))
        const step = action.kind === 'timer' ? 'a processing-time timer' : 'asynchronous work'
        throw this.#failure(action.operator, step, error)
      }
    }
    return ran
  }

  /** No timer fires any more. */
  stopTimers(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** Drops everything; what is added later is dropped too. */
  close(): void {
    this.#closed = true
    this.#actions = []
    this.stopTimers()
  }

  #add(action: Action): void {
    if (this.#closed) return
    this.#actions.push(action)
    this.#wake()
  }
}
