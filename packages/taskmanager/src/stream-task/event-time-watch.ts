import type { Clock, Logger } from '@flink-ts/common'
import type { TaskEventTime } from '@flink-ts/gateways'
import { MAX_WATERMARK, MIN_WATERMARK } from '@flink-ts/operators'

/** So long event time may stand still while records come. Then it is said who holds it back. */
const STALL_MS = 30_000
/** More names say no more. */
const MOST_NAMES = 5

/** Where event time is in a task, and why it is not further. */
export interface EventTimeFacts {
  readonly watermark: number
  /** Of the input channel that is the furthest. */
  readonly furthest: number
  /** Who sends on the channels that hold event time back. */
  readonly heldBy: readonly string[]
  readonly recordsIn: number
}

/**
 * Notices that event time stands still, which is why windows and timers do not fire: says so once in the log, with who
 * holds it back and since when, and tells it with the metrics. Looked at with these; costs nothing for records.
 * Owner: the task.
 */
export class EventTimeWatch {
  readonly #clock: Clock
  readonly #logger: Logger
  #watermark = MIN_WATERMARK
  #sinceMs: number
  #sinceMonotonicMs: number
  #recordsThen = 0
  #warned = false

  constructor(dependencies: { clock: Clock; logger: Logger }) {
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
    this.#sinceMs = this.#clock.now()
    this.#sinceMonotonicMs = this.#clock.monotonicMs()
  }

  look(facts: EventTimeFacts): TaskEventTime {
    const nowMs = this.#clock.monotonicMs()
    if (facts.watermark !== this.#watermark) {
      if (this.#warned) this.#logger.info({ watermark: shown(facts.watermark) }, 'event time goes on')
      this.#watermark = facts.watermark
      this.#sinceMs = this.#clock.now()
      this.#sinceMonotonicMs = nowMs
      this.#recordsThen = facts.recordsIn
      this.#warned = false
    }
    const { watermark } = facts
    if (watermark >= MAX_WATERMARK) return { watermark, sinceMs: this.#sinceMs, heldBy: [] }
    const stalled = nowMs - this.#sinceMonotonicMs >= STALL_MS && facts.recordsIn > this.#recordsThen
    if (stalled && !this.#warned) {
      this.#warned = true
      this.#warn(facts)
    }
    return { watermark, sinceMs: this.#sinceMs, heldBy: facts.heldBy.slice(0, MOST_NAMES) }
  }

  #warn({ watermark, furthest, heldBy, recordsIn }: EventTimeFacts): void {
    const remedy =
      watermark > MIN_WATERMARK
        ? 'if these sources may be quiet, give their watermark strategy withIdleness'
        : 'no watermark has come from there: give the source a watermark strategy with withTimestampAssigner, or ' +
          'withIdleness if it may have no records'
    this.#logger.warn(
      {
        watermark: shown(watermark),
        since: new Date(this.#sinceMs).toISOString(),
        heldBy: heldBy.slice(0, MOST_NAMES),
        heldByChannels: heldBy.length,
        furthestInput: shown(furthest),
        recordsSince: recordsIn - this.#recordsThen,
        remedy,
      },
      'event time stands still: windows and timers cannot fire',
    )
  }
}

/** As a date, if it is one. */
function shown(watermark: number): string {
  if (watermark <= MIN_WATERMARK) return 'none'
  if (watermark >= MAX_WATERMARK) return 'end of input'
  const date = new Date(watermark)
  return Number.isNaN(date.getTime()) ? String(watermark) : date.toISOString()
}
