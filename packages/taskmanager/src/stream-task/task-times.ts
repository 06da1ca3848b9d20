import type { Clock } from '@flink-ts/common'

/**
 * What a task does: it has work, or could have (`busy`, also while a sink lets it wait); nothing comes (`idle`); or it
 * would go on but its outputs have no room (`backPressured`).
 */
export type TaskActivity = 'busy' | 'idle' | 'backPressured'

const INDEX: Record<TaskActivity, number> = { busy: 0, idle: 1, backPressured: 2 }

/** Shorter stretches say nothing about a rate. */
const MIN_SAMPLE_MS = 500

/** By activity, in milliseconds. */
export type ActivityTimes = Readonly<Record<TaskActivity, number>>

/**
 * How long a task was in each activity. Tasks of a slot share its thread: one is busy also while another one with work
 * has its turn. Costs one look at the clock for each step of a busy task. Owner: the task.
 */
export class TaskTimes {
  readonly #clock: Clock
  readonly #spentMs = new Float64Array(3)
  #activity: TaskActivity = 'idle'
  #sinceMs = 0
  #running = false
  #sampledMs = 0
  #sample: ActivityTimes = { busy: 0, idle: 0, backPressured: 0 }
  #rates: ActivityTimes = { busy: 0, idle: 0, backPressured: 0 }

  constructor(dependencies: { clock: Clock }) {
    this.#clock = dependencies.clock
  }

  /** From now on time counts. */
  start(): void {
    this.#running = true
    this.#sinceMs = this.#sampledMs = this.#clock.monotonicMs()
  }

  /** A step begins: the time until now was spent as the last one ended. */
  stepBegins(): void {
    // A task that was busy before is so now: the end of the step counts both.
    if (this.#activity !== 'busy') this.#count()
  }

  /** Returns the milliseconds since it last looked at the clock: at the end of the step before, if that was busy. */
  stepEnds(activity: TaskActivity): number {
    let elapsedMs = 0
    // What it found out it has been doing since the step began.
    if (activity === 'busy' || this.#activity === 'busy') {
      if (activity === 'busy') this.#activity = 'busy'
      elapsedMs = this.#count()
    }
    this.#activity = activity
    return elapsedMs
  }

  /** Since {@link TaskTimes.start}. */
  totals(): ActivityTimes {
    this.#count()
    const [busy = 0, idle = 0, backPressured = 0] = this.#spentMs
    return { busy, idle, backPressured }
  }

  /** In milliseconds of each second: over the time between the last two calls that were far enough apart. */
  perSecond(): ActivityTimes {
    const totals = this.totals()
    const elapsedMs = this.#sinceMs - this.#sampledMs
    if (elapsedMs < MIN_SAMPLE_MS) return this.#rates
    const rate = (activity: TaskActivity): number =>
      Math.round(((totals[activity] - this.#sample[activity]) * 1000) / elapsedMs)
    this.#rates = { busy: rate('busy'), idle: rate('idle'), backPressured: rate('backPressured') }
    this.#sample = totals
    this.#sampledMs = this.#sinceMs
    return this.#rates
  }

  #count(): number {
    if (!this.#running) return 0
    const nowMs = this.#clock.monotonicMs()
    const elapsedMs = nowMs - this.#sinceMs
    const index = INDEX[this.#activity]
    this.#spentMs[index] = (this.#spentMs[index] as number) + elapsedMs
    this.#sinceMs = nowMs
    return elapsedMs
  }
}
