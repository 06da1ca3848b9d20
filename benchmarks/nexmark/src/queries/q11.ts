import { EventTimeSessionWindows } from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

/** Bids of one bidder in a stretch of time. */
export interface BidderCount {
  readonly bidder: number
  readonly bid_count: number
  readonly starttime: number
  readonly endtime: number
}

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
      .aggregate(
        {
          createAccumulator: () => ({ bids: 0 }),
          add: (_bidder, count) => {
            count.bids++
            return count
          },
          getResult: count => count.bids,
          merge: (left, right) => {
            left.bids += right.bids
            return left
          },
        },
        (bidder, { start, end }, bid_count) => ({ bidder, bid_count, starttime: start, endtime: end }),
      ),
}
