import {
  type MapState,
  MapStateDescriptor,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import { countRank, noRankCounts, type RankCounts, rankOf } from './ranks.ts'

/** A bid as far as statistics need it. */
export interface CountedBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
}

/** Bids, distinct bidders and distinct auctions of one key. */
export interface BidCounts {
  /** The last one of the day in which there was a bid. */
  minute: number
  readonly bids: RankCounts
  readonly bidders: RankCounts
  readonly auctions: RankCounts
}

/** Counts the bids of each key, and who bid for what; in the state of a keyed function. */
export class BidStatistics {
  readonly #counts: ValueState<BidCounts>
  /** Which ranks were seen: bit 1 to 3. */
  readonly #bidders: MapState<number, number>
  readonly #auctions: MapState<number, number>

  constructor(context: RuntimeContext) {
    this.#counts = context.getState(new ValueStateDescriptor<BidCounts>('counts'))
    this.#bidders = context.getMapState(new MapStateDescriptor<number, number>('ranks of bidders'))
    this.#auctions = context.getMapState(new MapStateDescriptor<number, number>('ranks of auctions'))
  }

  /** The counts with this bid, which are valid until the next call. @param minute of the day */
  add({ auction, bidder, price }: CountedBid, minute = 0): BidCounts {
    const counts = this.#counts.value() ?? {
      minute,
      bids: noRankCounts(),
      bidders: noRankCounts(),
      auctions: noRankCounts(),
    }
    const rank = rankOf(price)
    if (minute > counts.minute) counts.minute = minute
    counts.bids.total++
    countRank(counts.bids, rank)
    countDistinct(this.#bidders, bidder, rank, counts.bidders)
    countDistinct(this.#auctions, auction, rank, counts.auctions)
    this.#counts.update(counts)
    return counts
  }
}

function countDistinct(
  seen: MapState<number, number>,
  id: number,
  rank: 1 | 2 | 3,
  counts: RankCounts,
): void {
  const ranks = seen.get(id)
  if (ranks === undefined) counts.total++
  else if ((ranks & (1 << rank)) !== 0) return
  countRank(counts, rank)
  seen.put(id, (ranks ?? 0) | (1 << rank))
}

/** {@link BidCounts} as fields of a row. */
export const countColumns = ({ bids, bidders, auctions }: BidCounts) => ({
  total_bids: bids.total,
  rank1_bids: bids.rank1,
  rank2_bids: bids.rank2,
  rank3_bids: bids.rank3,
  total_bidders: bidders.total,
  rank1_bidders: bidders.rank1,
  rank2_bidders: bidders.rank2,
  rank3_bidders: bidders.rank3,
  total_auctions: auctions.total,
  rank1_auctions: auctions.rank1,
  rank2_auctions: auctions.rank2,
  rank3_auctions: auctions.rank3,
})
