import {
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import { dayOf, dayText } from '../model/calendar.ts'
import type { NexmarkInput, Query } from './query.ts'
import { countRank, noRankCounts, type RankCounts, rankOf } from './ranks.ts'

interface AuctionBid {
  readonly auction: number
  readonly day: number
  readonly price: number
}

interface AuctionReport {
  readonly auction: number
  readonly day: string
  readonly total_bids: number
  readonly rank1_bids: number
  readonly rank2_bids: number
  readonly rank3_bids: number
  readonly min_price: number
  readonly max_price: number
  readonly avg_price: number
  readonly sum_price: number
}

interface Prices extends RankCounts {
  least: number
  highest: number
  sum: number
}

/** The report of an auction's day so far with each bid. */
class Report implements KeyedProcessFunction<[number, number], AuctionBid, AuctionReport> {
  #prices!: ValueState<Prices>

  open(context: RuntimeContext): void {
    this.#prices = context.getState(new ValueStateDescriptor<Prices>('prices'))
  }

  processElement(
    { auction, day, price }: AuctionBid,
    _context: KeyedProcessContext<[number, number]>,
    out: Collector<AuctionReport>,
  ): void {
    const prices = this.#prices.value() ?? { ...noRankCounts(), least: price, highest: price, sum: 0 }
    prices.total++
    countRank(prices, rankOf(price))
    if (price < prices.least) prices.least = price
    if (price > prices.highest) prices.highest = price
    prices.sum += price
    this.#prices.update(prices)
    out({
      auction,
      day: dayText(day),
      total_bids: prices.total,
      rank1_bids: prices.rank1,
      rank2_bids: prices.rank2,
      rank3_bids: prices.rank3,
      min_price: prices.least,
      max_price: prices.highest,
      // Whole numbers, cut towards zero.
      avg_price: (prices.sum - (prices.sum % prices.total)) / prices.total,
      sum_price: prices.sum,
    })
  }
}

/** Prices of each auction and day. */
export const q17: Query<AuctionReport> = {
  name: 'q17',
  about: 'prices of each auction and day',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(({ auction, price, dateTime }): AuctionBid => ({ auction, day: dayOf(dateTime), price }))
      .setParallelism(parallelism)
      .keyBy(({ auction, day }): [number, number] => [auction, day])
      .process(new Report()),
  key: row => `${row.day} ${row.auction}`,
}
