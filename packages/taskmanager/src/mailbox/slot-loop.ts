import type { Clock } from '@flink-ts/common'
import type { Pulse } from './pulse.ts'

/** What a {@link SlotLoop} schedules. Owner: the slot thread. */
export interface ScheduledTask {
  /** Does one small piece of work (a batch of records, one event). False: nothing could be done now. */
  step(): boolean
  /** Nothing can be done for now: send started batches. */
  flushIdle(): void
  /** A slice ended while there is more to do: send batches that have waited long enough. */
  flushDue(nowMs: number): void
}

/** Wakes a parked loop from other threads. */
export interface WakeSignal {
  /** Counts rings; to be read before looking for work. */
  version(): number
  /** Calls `listener` once as soon as the version differs from `seen`, at the earliest after the current stack. */
  wait(seen: number, listener: () => void): void
}

/** Length of a slice: control mail that came meanwhile waits at most about this long. */
const SLICE_MS = 2

/**
 * Runs the tasks of one slot thread cooperatively: slices of about 2 ms over all tasks, control mail before each
 * slice, the event loop between slices. With nothing to do it parks on the bell and on mail; it reads the bell before
 * it looks for work, so that no wake-up is lost.
 */
export class SlotLoop {
  readonly #clock: Clock
  readonly #bell: WakeSignal
  readonly #onCrash: (error: unknown) => void
  readonly #pulse: Pulse | undefined
  #tasks: readonly ScheduledTask[] = []
  #mail: (() => void)[] = []
  #yielded: (() => void)[] = []
  #scheduled = false
  #waiting = false
  #stopped = false
  #sliceEndMs = 0

  /** @param onCrash an action or task threw although each handles its own errors */
  constructor(dependencies: {
    clock: Clock
    bell: WakeSignal
    onCrash: (error: unknown) => void
    pulse?: Pulse
  }) {
    this.#clock = dependencies.clock
    this.#bell = dependencies.bell
    this.#onCrash = dependencies.onCrash
    this.#pulse = dependencies.pulse
  }

  add(task: ScheduledTask): void {
    this.#tasks = [...this.#tasks, task]
    this.wake()
  }

  remove(task: ScheduledTask): void {
    this.#tasks = this.#tasks.filter(other => other !== task)
  }

  /** Runs `action` before the next slice. */
  post(action: () => void): void {
    this.#mail.push(action)
    this.wake()
  }

  /** Has all tasks looked at again. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    setImmediate(this.#run)
  }

  /** Resolves after the next slice: for long work that is done in pieces between records. */
  yieldSlice(): Promise<void> {
    return new Promise(resolve => {
      this.#yielded.push(resolve)
      this.wake()
    })
  }

  /** Whether the current slice is over. */
  sliceOver(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndMs
  }

  stop(): void {
    this.#stopped = true
  }

  readonly #run = (): void => {
    this.#scheduled = false
    if (this.#stopped) return
    const seen = this.#bell.version()
    this.#sliceEndMs = this.#clock.monotonicMs() + SLICE_MS
    let progressed = false
    try {
      this.#pulse?.beat()
      this.#deliverMail()
      do {
        progressed = false
        this.#pulse?.beat()
        for (const task of this.#tasks) if (task.step()) progressed = true
        if (this.#mail.length > 0) {
          this.#deliverMail()
          progressed = true
        }
      } while (progressed && !this.sliceOver())
      if (progressed) {
        const nowMs = this.#clock.monotonicMs()
        for (const task of this.#tasks) task.flushDue(nowMs)
      } else {
        for (const task of this.#tasks) task.flushIdle()
      }
    } catch (error) {
      this.#onCrash(error)
    }
    this.#pulse?.rest()
    if (this.#yielded.length > 0) {
      const resolved = this.#yielded
      this.#yielded = []
      for (const resolve of resolved) resolve()
    }
    if (progressed || this.#mail.length > 0) this.wake()
    else this.#park(seen)
  }

  #deliverMail(): void {
    const mail = this.#mail
    this.#mail = []
    for (const action of mail) action()
  }

  #park(seen: number): void {
    // One wait at a time: a wait that is still open sees every ring, since the version has not changed since it began.
    if (this.#waiting) return
    this.#waiting = true
    this.#bell.wait(seen, () => {
      this.#waiting = false
      this.wake()
    })
  }
}
