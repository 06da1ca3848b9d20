import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { eventTimeStageOf } from '../watermark/event-time-stage.ts'
import type { WatermarkStrategy } from '../watermark/watermark-strategy.ts'

/**
 * Operator of `assignTimestampsAndWatermarks`: replaces timestamps and watermarks of the stream. Watermarks from
 * upstream end here, but for the last one.
 */
export function timestampsAndWatermarksOperator<T>(strategy: WatermarkStrategy<T>): OperatorFactory {
  return {
    kind: 'timestamps-and-watermarks',
    create(context: OperatorContext): StreamOperator {
      const stage = eventTimeStageOf(context, strategy, context.out)
      const processElement = context.generate<Push>(
        ['emit', 'register'],
        `return value => {
  const before = register[0]
  emit(value, before)
  register[0] = before
}`,
        [stage.emit, context.timestamp],
      )
      return {
        processElement,
        open: () => stage.start(),
        forwardWatermark: watermark => (watermark >= MAX_WATERMARK ? watermark : undefined),
        snapshotState: () => stage.snapshot(),
        endInput: () => stage.stop(),
        close: () => stage.stop(),
      }
    },
  }
}
