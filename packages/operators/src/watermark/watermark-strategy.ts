import { type Duration, durationMs } from '../functions/duration.ts'

/** Event time of a record, in milliseconds since the epoch. `recordTimestamp`: what the source gave; NaN for none. */
export type TimestampAssigner<T> = (value: T, recordTimestamp: number) => number

/**
 * How a stream gets event time: timestamps of the records, and watermarks that say up to when it is complete.
 * Immutable; the `with` methods return a new strategy.
 * @example WatermarkStrategy.forBoundedOutOfOrderness<Click>('5 s').withTimestampAssigner(click => click.time)
 */
export class WatermarkStrategy<T> {
  /** Undefined: no watermarks. */
  readonly outOfOrdernessMs: number | undefined
  readonly timestampAssigner: TimestampAssigner<T> | undefined
  /** Undefined: a quiet source holds back event time. */
  readonly idlenessMs: number | undefined

  private constructor(
    outOfOrdernessMs: number | undefined,
    timestampAssigner: TimestampAssigner<T> | undefined,
    idlenessMs: number | undefined,
  ) {
    this.outOfOrdernessMs = outOfOrdernessMs
    this.timestampAssigner = timestampAssigner
    this.idlenessMs = idlenessMs
  }

  /** Timestamps only rise (in each subtask of the source). */
  static forMonotonousTimestamps<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(0, undefined, undefined)
  }

  /** A record comes at most `maxOutOfOrderness` later than one with a higher timestamp. */
  static forBoundedOutOfOrderness<T>(maxOutOfOrderness: Duration): WatermarkStrategy<T> {
    const ms = durationMs(maxOutOfOrderness, 'WatermarkStrategy.forBoundedOutOfOrderness')
    return new WatermarkStrategy<T>(ms, undefined, undefined)
  }

  /** No event time: watermarks come only at the end of a bounded stream. */
  static noWatermarks<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(undefined, undefined, undefined)
  }

  withTimestampAssigner(timestampAssigner: TimestampAssigner<T>): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(this.outOfOrdernessMs, timestampAssigner, this.idlenessMs)
  }

  /** After `idleness` without records the stream no longer holds back event time downstream. */
  withIdleness(idleness: Duration): WatermarkStrategy<T> {
    const ms = durationMs(idleness, 'WatermarkStrategy.withIdleness', 1)
    return new WatermarkStrategy<T>(this.outOfOrdernessMs, this.timestampAssigner, ms)
  }
}
