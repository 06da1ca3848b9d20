import type { AggregateFunction, TimeWindow } from 'flink-ts'

/** Bids of one bidder in a stretch of time. */
export interface BidderCount {
  readonly bidder: number
  readonly bid_count: number
  readonly starttime: number
  readonly endtime: number
}

/** Counts bids, given as their bidders, in place. */
export const countBids: AggregateFunction<number, { bids: number }, number> = {
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
}

/** The row of a window. */
export const bidderCount = (bidder: number, { start, end }: TimeWindow, bid_count: number): BidderCount => ({
  bidder,
  bid_count,
  starttime: start,
  endtime: end,
})
