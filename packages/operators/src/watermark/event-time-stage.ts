import type { OperatorContext, Push } from '../contract/stream-operator.ts'
import { InvalidTimestamp } from '../errors.ts'
import { describeValue, failureAtRecord } from '../functions/user-function-failure.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'

/** Gives records their event time and emits watermarks: inside a source, or as an operator of its own. */
export interface EventTimeStage {
  /**
   * Assigns the timestamp, puts it into the register and hands the record on. Does not restore the register. The
   * record's own timestamp may be absent.
   */
  readonly emit: (value: unknown, recordTimestamp?: number) => void
  start(): void
  stop(): void
}

/** @param out where records go; their timestamp is in the register */
export function eventTimeStageOf<T>(
  context: OperatorContext,
  strategy: WatermarkStrategy<T>,
  out: Push,
): EventTimeStage {
  /** [0]: highest timestamp so far, -Infinity before the first; [1]: records so far. */
  const progress = new Float64Array([Number.NEGATIVE_INFINITY, 0])
  const { timestampAssigner, outOfOrdernessMs, idlenessMs } = strategy
  const invalid = (timestamp: unknown, record: unknown): Error =>
    InvalidTimestamp({
      operator: context.operatorName,
      timestamp: describeValue(timestamp),
      record: `record ${describeValue(record)}`,
    })
  const emit = context.generate<EventTimeStage['emit']>(
    ['assign', 'out', 'register', 'progress', 'failed', 'invalid'],
    `return (value, recordTimestamp) => {
  let time = recordTimestamp === undefined ? NaN : recordTimestamp
  ${
    timestampAssigner === undefined
      ? ''
      : `try { time = assign(value, time) } catch (error) { throw failed(error, value) }
  if (typeof time !== 'number' || time - time !== 0) throw invalid(time, value)`
  }
  ${outOfOrdernessMs === undefined ? '' : 'if (time > progress[0]) progress[0] = time'}
  ${idlenessMs === undefined ? '' : 'progress[1]++'}
  register[0] = time
  out(value)
}`,
    [
      timestampAssigner,
      out,
      context.timestamp,
      progress,
      failureAtRecord(context, 'the timestamp assigner'),
      invalid,
    ],
  )
  if (outOfOrdernessMs === undefined || context.autoWatermarkIntervalMs <= 0) {
    return { emit, start: () => {}, stop: () => {} }
  }
  const periodic = new PeriodicWatermarks(context, progress, outOfOrdernessMs, idlenessMs)
  return { emit, start: () => periodic.start(), stop: () => periodic.stop() }
}

/** Emits `highest timestamp - out-of-orderness - 1` at each watermark interval, and idleness. */
class PeriodicWatermarks {
  readonly #context: OperatorContext
  readonly #progress: Float64Array
  readonly #outOfOrdernessMs: number
  readonly #idlenessMs: number | undefined
  #timer: { cancel(): void } | undefined
  #recordsSeen = 0
  #lastRecordAt = 0
  #idle = false

  constructor(
    context: OperatorContext,
    progress: Float64Array,
    outOfOrdernessMs: number,
    idlenessMs: number | undefined,
  ) {
    this.#context = context
    this.#progress = progress
    this.#outOfOrdernessMs = outOfOrdernessMs
    this.#idlenessMs = idlenessMs
  }

  start(): void {
    this.#lastRecordAt = this.#context.processingTime()
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    const next = this.#context.processingTime() + this.#context.autoWatermarkIntervalMs
    this.#timer = this.#context.scheduleProcessingTime(next, () => {
      this.#schedule()
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#idlenessMs !== undefined && this.#checkIdle(this.#idlenessMs)) return
    const highest = this.#progress[0] as number
    // Fractions of a millisecond: everything before the watermark, itself included, must be complete.
    if (highest > Number.NEGATIVE_INFINITY)
      this.#context.emitWatermark(Math.floor(highest) - this.#outOfOrdernessMs - 1)
  }

  #checkIdle(idlenessMs: number): boolean {
    const records = this.#progress[1] as number
    const now = this.#context.processingTime()
    if (records !== this.#recordsSeen) {
      this.#recordsSeen = records
      this.#lastRecordAt = now
      this.#idle = false
    } else if (!this.#idle && now - this.#lastRecordAt >= idlenessMs) {
      this.#idle = true
      this.#context.emitIdle()
    }
    return this.#idle
  }
}
