import type { TimerEntry } from '@flink-ts/state'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorContext } from '../contract/stream-operator.ts'
import { InvalidTimerTime } from '../errors.ts'
import { TimerProgress } from './timer-progress.ts'
import { TimerQueue } from './timer-queue.ts'

/** How many timers fire between two looks at the clock and the outputs. */
const TIMERS_BETWEEN_YIELDS = 64

/** What is done when a timer is due. The backend's current key and the timestamp register are set. */
export interface Triggerable {
  eventTime(timestamp: number, namespace: TimerEntry['namespace']): void
  processingTime(timestamp: number, namespace: TimerEntry['namespace']): void
}

/**
 * Event-time and processing-time timers of one keyed operator: one for each key, namespace and time, part of the
 * backend's snapshots. Firing is in order of time and resumable. Timers belong to the backend's current key.
 *
 * A timer registered at or before the current watermark fires when the watermark next advances, or in the running
 * advance when it is registered from a timer; the watermark that is repeated after a restore is none. Owner: the
 * operator's slot thread.
 */
export class InternalTimerService {
  readonly #context: OperatorContext
  readonly #triggerable: Triggerable
  readonly #eventTime = new TimerQueue()
  readonly #processingTime = new TimerQueue()
  readonly #progress: TimerProgress
  readonly #batch: boolean
  #watermark = MIN_WATERMARK
  /** A watermark was reached, but not all of its timers have fired. */
  #suspended = false
  #wakeUp: { readonly at: number; cancel(): void } | undefined
  #closed = false
  /** In a batch that ends: the latest time of the clock that there is a timer for. */
  #lastTime: number | undefined

  /** @param name of the timers in snapshots, unique in the operator */
  constructor(context: OperatorContext, name: string, triggerable: Triggerable) {
    this.#context = context
    this.#triggerable = triggerable
    this.#batch = context.batch === true
    this.#progress = new TimerProgress(context, name)
    context.keyedState.registerParticipant(`event-time/${name}`, this.#eventTime)
    context.keyedState.registerParticipant(`processing-time/${name}`, this.#processingTime)
  }

  /** Starts the clock for restored processing-time timers, and reads what {@link snapshot} has stored. */
  open(): void {
    this.#progress.restore()
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#wakeUp?.cancel()
  }

  /**
   * To be called where the operator stores its state.
   * @param unfinished the operator has not done all that the watermark was to do, although timers have been told of it
   */
  snapshot(unfinished = false): void {
    this.#progress.snapshot(this.#watermark, this.#suspended || unfinished)
  }

  currentWatermark(): number {
    return this.#watermark
  }

  registerEventTime(namespace: TimerEntry['namespace'], timestamp: number): void {
    this.#eventTime.add(this.#context.keyedState.currentKey(), namespace, this.#checked(timestamp))
  }

  deleteEventTime(namespace: TimerEntry['namespace'], timestamp: number): void {
    this.#eventTime.delete(this.#context.keyedState.currentKey(), namespace, timestamp)
  }

  registerProcessingTime(namespace: TimerEntry['namespace'], timestamp: number): void {
    this.#processingTime.add(this.#context.keyedState.currentKey(), namespace, this.#checked(timestamp))
    if (this.#wakeUp === undefined || timestamp < this.#wakeUp.at) this.#schedule()
  }

  deleteProcessingTime(namespace: TimerEntry['namespace'], timestamp: number): void {
    this.#processingTime.delete(this.#context.keyedState.currentKey(), namespace, timestamp)
  }

  /**
   * Fires event-time timers up to `watermark`; false: to be called again with the same watermark.
   * @param again also those that were registered since the same watermark was reached
   */
  advanceWatermark(watermark: number, again = false): boolean {
    if (watermark < this.#watermark) return true
    if (watermark === this.#watermark && !this.#suspended && !again) return true
    this.#watermark = watermark
    this.#suspended = !this.#fireUpTo(watermark)
    if (!this.#suspended) this.#progress.reached(watermark)
    return !this.#suspended
  }

  /** With the end of a batch, time of the clock is over as well, as in Flink. */
  #fireUpTo(watermark: number): boolean {
    if (!this.#fire('eventTime', this.#eventTime, watermark)) return false
    if (!this.#batch || watermark < MAX_WATERMARK) return true
    // Not for ever: a timer that registers the next one would never come to an end.
    this.#lastTime ??= latestOf(this.#processingTime)
    return this.#fire('processingTime', this.#processingTime, this.#lastTime)
  }

  /** Returns false if it stopped before all was fired. */
  #fire(domain: keyof Triggerable, queue: TimerQueue, limit: number): boolean {
    const context = this.#context
    const register = context.timestamp
    const before = register[0] as number
    const holds = domain === 'eventTime' && this.#progress.holdsAny
    const held: TimerEntry[] = []
    try {
      for (let fired = 1; ; fired++) {
        const timer = queue.poll(limit)
        if (timer === undefined) return true
        if (holds && this.#progress.holds(timer.key, limit)) {
          held.push(timer)
          // Not one of those after which to stop: the next call would meet them again, and nothing else.
          fired--
          continue
        }
        context.keyedState.setCurrentKey(timer.key)
        // As in Flink, what a processing-time timer emits has no event time.
        register[0] = domain === 'eventTime' ? timer.timestamp : Number.NaN
        this.#triggerable[domain](timer.timestamp, timer.namespace)
        if (fired % TIMERS_BETWEEN_YIELDS !== 0 || !context.shouldYield()) continue
        const next = queue.peekTime()
        return next === undefined || next > limit
      }
    } finally {
      register[0] = before
      // What fired meanwhile did not see them, nor could it: all timers of a key are held, or none.
      queue.restoreEntries(held)
    }
  }

  #schedule(): void {
    if (this.#closed || this.#batch) return
    const next = this.#processingTime.peekTime()
    if (next === this.#wakeUp?.at) return
    this.#wakeUp?.cancel()
    this.#wakeUp = undefined
    if (next === undefined) return
    const wakeUp = this.#context.scheduleProcessingTime(next, () => {
      this.#wakeUp = undefined
      if (this.#closed) return
      this.#fire('processingTime', this.#processingTime, this.#context.processingTime())
      this.#schedule()
    })
    this.#wakeUp = { at: next, cancel: () => wakeUp.cancel() }
  }

  #checked(timestamp: number): number {
    if (typeof timestamp === 'number' && Number.isFinite(timestamp)) return timestamp
    throw InvalidTimerTime({ operator: this.#context.operatorName, timestamp: String(timestamp) })
  }
}

function latestOf(queue: TimerQueue): number {
  let latest = Number.NEGATIVE_INFINITY
  for (const { timestamp } of queue.snapshotEntries()) if (timestamp > latest) latest = timestamp
  return latest
}
