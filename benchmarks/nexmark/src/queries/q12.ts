import {
  type TimeWindow,
  Trigger,
  type TriggerContext,
  type TriggerResult,
  TumblingProcessingTimeWindows,
} from 'flink-ts'
import { type BidderCount, bidderCount, countBids } from './bidder-counts.ts'
import type { NexmarkInput, Query } from './query.ts'

/** The last watermark, which comes at the end of a bounded input. */
const END = Number.MAX_SAFE_INTEGER

/**
 * Fires when the clock reaches the end of the window, and at the end of the input for windows that are not over then:
 * otherwise what was counted last would be lost with every finite input.
 */
class OverOrAtTheEnd extends Trigger<number, TimeWindow> {
  onElement(_bidder: number, _timestamp: number, window: TimeWindow, context: TriggerContext): TriggerResult {
    context.registerProcessingTimeTimer(window.maxTimestamp())
    context.registerEventTimeTimer(END)
    return 'CONTINUE'
  }

  onProcessingTime(): TriggerResult {
    return 'FIRE'
  }

  onEventTime(): TriggerResult {
    return 'FIRE_AND_PURGE'
  }

  clear(window: TimeWindow, context: TriggerContext): void {
    context.deleteProcessingTimeTimer(window.maxTimestamp())
    context.deleteEventTimeTimer(END)
  }
}

/** How often everybody bid in each ten seconds of the clock. */
export const q12: Query<BidderCount> = {
  name: 'q12',
  about: 'bids of each bidder in windows of processing time',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(bid => bid.bidder)
      .setParallelism(parallelism)
      .keyBy(bidder => bidder)
      .window(TumblingProcessingTimeWindows.of('10 s'))
      .trigger(new OverOrAtTheEnd())
      .aggregate(countBids, bidderCount),
}
