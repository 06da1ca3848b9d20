import { type Duration, durationMs } from '../functions/duration.ts'
import type { WatermarkGenerator } from './watermark-generator.ts'
import { WatermarkStrategy } from './watermark-strategy.ts'

/** Flink's way before {@link WatermarkStrategy}: timestamps, and a watermark at each interval. */
export interface AssignerWithPeriodicWatermarks<T> {
  extractTimestamp(value: T, recordTimestamp: number): number
  /** Null or undefined: none now. */
  getCurrentWatermark(): number | null | undefined
}

/** Flink's way before {@link WatermarkStrategy}: timestamps, and a watermark with some records. */
export interface AssignerWithPunctuatedWatermarks<T> {
  extractTimestamp(value: T, recordTimestamp: number): number
  /** Null or undefined: none with this record. */
  checkAndGetNextWatermark(value: T, extractedTimestamp: number): number | null | undefined
}

/** Flink's class for records that are late by so much at most. Prefer `forBoundedOutOfOrderness`. */
export abstract class BoundedOutOfOrdernessTimestampExtractor<T> {
  readonly maxOutOfOrdernessMs: number

  constructor(maxOutOfOrderness: Duration) {
    this.maxOutOfOrdernessMs = durationMs(maxOutOfOrderness, 'BoundedOutOfOrdernessTimestampExtractor')
  }

  abstract extractTimestamp(value: T): number
}

/** Flink's class for records in order. Prefer `forMonotonousTimestamps`. */
export abstract class AscendingTimestampExtractor<T> {
  abstract extractAscendingTimestamp(value: T): number
}

/** What `assignTimestampsAndWatermarks` takes beside strategies. */
export type OldTimestampAssigner<T> =
  | AssignerWithPeriodicWatermarks<T>
  | AssignerWithPunctuatedWatermarks<T>
  | BoundedOutOfOrdernessTimestampExtractor<T>
  | AscendingTimestampExtractor<T>

/** The strategy that an old assigner stands for; undefined if it is none. */
export function watermarkStrategyOf<T>(
  assigner: WatermarkStrategy<T> | OldTimestampAssigner<T>,
): WatermarkStrategy<T> | undefined {
  if (assigner instanceof WatermarkStrategy) return assigner
  if (assigner instanceof BoundedOutOfOrdernessTimestampExtractor) {
    const { maxOutOfOrdernessMs } = assigner
    return WatermarkStrategy.forBoundedOutOfOrderness<T>(maxOutOfOrdernessMs).withTimestampAssigner(value =>
      assigner.extractTimestamp(value),
    )
  }
  if (assigner instanceof AscendingTimestampExtractor) {
    return WatermarkStrategy.forMonotonousTimestamps<T>().withTimestampAssigner(value =>
      assigner.extractAscendingTimestamp(value),
    )
  }
  if (
    typeof (assigner as Partial<AssignerWithPeriodicWatermarks<T>> | null)?.extractTimestamp !== 'function'
  ) {
    return undefined
  }
  const generator = generatorOf(assigner)
  if (generator === undefined) return undefined
  return WatermarkStrategy.forGenerator<T>(() => generator).withTimestampAssigner((value, timestamp) =>
    assigner.extractTimestamp(value, timestamp),
  )
}

function generatorOf<T>(
  assigner: AssignerWithPeriodicWatermarks<T> | AssignerWithPunctuatedWatermarks<T>,
): WatermarkGenerator<T> | undefined {
  if ('getCurrentWatermark' in assigner) {
    return {
      onEvent() {},
      onPeriodicEmit(output) {
        const watermark = assigner.getCurrentWatermark() ?? undefined
        if (watermark !== undefined) output.emitWatermark(watermark)
      },
    }
  }
  if (!('checkAndGetNextWatermark' in assigner)) return undefined
  return {
    onEvent(value, timestamp, output) {
      const watermark = assigner.checkAndGetNextWatermark(value, timestamp) ?? undefined
      if (watermark !== undefined) output.emitWatermark(watermark)
    },
    onPeriodicEmit() {},
  }
}
