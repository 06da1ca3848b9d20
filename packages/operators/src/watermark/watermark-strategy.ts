import { InvalidArgument } from '../errors.ts'
import { type Duration, durationMs } from '../functions/duration.ts'
import type { WatermarkAlignment } from './watermark-alignment.ts'
import type { WatermarkGeneratorSupplier } from './watermark-generator.ts'

/** Event time of a record, in milliseconds since the epoch. `recordTimestamp`: what the source gave; NaN for none. */
export type TimestampAssigner<T> = (value: T, recordTimestamp: number) => number

interface Settings<T> {
  readonly outOfOrdernessMs?: number | undefined
  readonly generator?: WatermarkGeneratorSupplier<T> | undefined
  readonly timestampAssigner?: TimestampAssigner<T> | undefined
  readonly idlenessMs?: number | undefined
  readonly alignment?: WatermarkAlignment | undefined
}

/**
 * How a stream gets event time: timestamps of the records, and watermarks that say up to when it is complete.
 * Immutable; the `with` methods return a new strategy.
 * @example WatermarkStrategy.forBoundedOutOfOrderness<Click>('5 s').withTimestampAssigner(click => click.time)
 */
export class WatermarkStrategy<T> {
  /** Of the built-in generator. Undefined: another one, or no watermarks. */
  readonly outOfOrdernessMs: number | undefined
  /** One of the user's own. */
  readonly generator: WatermarkGeneratorSupplier<T> | undefined
  readonly timestampAssigner: TimestampAssigner<T> | undefined
  /** Undefined: a quiet source holds back event time. */
  readonly idlenessMs: number | undefined
  /** Undefined: the source reads as fast as it can. Of sources only. */
  readonly alignment: WatermarkAlignment | undefined
  readonly #settings: Settings<T>

  private constructor(settings: Settings<T>) {
    this.#settings = settings
    this.outOfOrdernessMs = settings.outOfOrdernessMs
    this.generator = settings.generator
    this.timestampAssigner = settings.timestampAssigner
    this.idlenessMs = settings.idlenessMs
    this.alignment = settings.alignment
  }

  /** Timestamps only rise (in each subtask of the source). */
  static forMonotonousTimestamps<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ outOfOrdernessMs: 0 })
  }

  /** A record comes at most `maxOutOfOrderness` later than one with a higher timestamp. */
  static forBoundedOutOfOrderness<T>(maxOutOfOrderness: Duration): WatermarkStrategy<T> {
    const ms = durationMs(maxOutOfOrderness, 'WatermarkStrategy.forBoundedOutOfOrderness')
    return new WatermarkStrategy<T>({ outOfOrdernessMs: ms })
  }

  /**
   * Watermarks by a generator of your own: the function makes one for each subtask.
   * @throws operators.invalid-argument
   */
  static forGenerator<T>(supplier: WatermarkGeneratorSupplier<T>): WatermarkStrategy<T> {
    if (typeof supplier === 'function') return new WatermarkStrategy<T>({ generator: supplier })
    throw InvalidArgument({
      what: 'WatermarkStrategy.forGenerator',
      value: String(supplier),
      expected: 'a function that makes a generator for each subtask: () => new MyGenerator()',
    })
  }

  /** No event time: watermarks come only at the end of a bounded stream. */
  static noWatermarks<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({})
  }

  /** The timestamps alone: event time advances at the end only. */
  withoutWatermarks(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ timestampAssigner: this.timestampAssigner })
  }

  withTimestampAssigner(timestampAssigner: TimestampAssigner<T>): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ ...this.#settings, timestampAssigner })
  }

  /** After `idleness` without records the stream no longer holds back event time downstream. */
  withIdleness(idleness: Duration): WatermarkStrategy<T> {
    const idlenessMs = durationMs(idleness, 'WatermarkStrategy.withIdleness', 1)
    return new WatermarkStrategy<T>({ ...this.#settings, idlenessMs })
  }

  /**
   * Keeps sources together: one that is more than `maxDrift` ahead of the slowest source (or subtask) of the group in
   * event time waits for it, so that operators behind do not have to keep what comes early. Each tells where it is at
   * each `updateInterval`. Has an effect at sources, not at `assignTimestampsAndWatermarks`.
   * @example .withWatermarkAlignment('orders and payments', '1 min')
   */
  withWatermarkAlignment(
    group: string,
    maxDrift: Duration,
    updateInterval: Duration = '1 s',
  ): WatermarkStrategy<T> {
    const what = 'WatermarkStrategy.withWatermarkAlignment'
    if (typeof group !== 'string' || group === '') {
      throw InvalidArgument({ what: `${what} (group)`, value: String(group), expected: 'a name' })
    }
    const alignment: WatermarkAlignment = {
      group,
      maxDriftMs: durationMs(maxDrift, `${what} (maxDrift)`),
      updateIntervalMs: durationMs(updateInterval, `${what} (updateInterval)`, 1),
    }
    return new WatermarkStrategy<T>({ ...this.#settings, alignment })
  }
}
