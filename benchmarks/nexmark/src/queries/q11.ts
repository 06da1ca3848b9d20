import { EventTimeSessionWindows } from 'flink-ts'
import { type BidderCount, bidderCount, countBids } from './bidder-counts.ts'
import type { NexmarkInput, Query } from './query.ts'

/** How often somebody bid while they were active. */
export const q11: Query<BidderCount> = {
  name: 'q11',
  about: 'bids of each session of a bidder',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(bid => bid.bidder)
      .setParallelism(parallelism)
      .keyBy(bidder => bidder)
      .window(EventTimeSessionWindows.withGap('10 s'))
      .aggregate(countBids, bidderCount),
}
