import { NO_EVENT_TIME, type StateTime } from '../../../api/state-time.ts'
import type { StateTtlConfig, TtlTime } from '../../../api/state-ttl-config.ts'

/**
 * A value with the time from which its time to live counts. NaN: not known yet, because it was stored before there was
 * an event time, or with another clock; it counts from the first time that is known.
 */
export type Timed<T> = [time: number, value: T]

/** Says for one state what time it is and what is over. */
export class TtlClock {
  readonly config: StateTtlConfig
  readonly #time: StateTime

  constructor(config: StateTtlConfig, time: StateTime) {
    this.config = config
    this.#time = time
  }

  /** The time of a value that is written now. */
  stamp(): number {
    return stampOf(this.config.time, this.#time)
  }

  /** What {@link TtlClock.isOver} compares with; -Infinity if it is not known. */
  now(): number {
    if (this.config.time === 'processing-time') return this.#time.processingTime()
    const watermark = this.#time.watermark()
    return watermark > NO_EVENT_TIME ? watermark : Number.NEGATIVE_INFINITY
  }

  /** Whether the value's time to live is over. Gives it a time if it has none yet. */
  isOver(timed: Timed<unknown>, now: number = this.now()): boolean {
    if (Number.isNaN(timed[0])) {
      if (now > Number.NEGATIVE_INFINITY) timed[0] = now
      return false
    }
    return timed[0] + this.config.ttlMs <= now
  }
}

/** The time of a value that is written now, by one clock. */
export function stampOf(clock: TtlTime, time: StateTime): number {
  if (clock === 'processing-time') return time.processingTime()
  const ofRecord = time.recordTimestamp()
  if (!Number.isNaN(ofRecord)) return ofRecord
  const watermark = time.watermark()
  return watermark > NO_EVENT_TIME ? watermark : Number.NaN
}
