import type { Collector, KeyedProcessContext, KeyedProcessFunction, RuntimeContext } from 'flink-ts'
import { dayOf, dayText } from '../model/calendar.ts'
import { BidStatistics, type CountedBid, countColumns } from './bid-statistics.ts'
import type { NexmarkInput, Query } from './query.ts'

interface DailyBid extends CountedBid {
  readonly day: number
}

type DailyReport = { readonly day: string } & ReturnType<typeof countColumns>

/** The report of the day so far with each bid. */
class Report implements KeyedProcessFunction<number, DailyBid, DailyReport> {
  #statistics!: BidStatistics

  open(context: RuntimeContext): void {
    this.#statistics = new BidStatistics(context)
  }

  processElement(bid: DailyBid, _context: KeyedProcessContext<number>, out: Collector<DailyReport>): void {
    out({ day: dayText(bid.day), ...countColumns(this.#statistics.add(bid)) })
  }
}

/** Bids, bidders and auctions of each day. */
export const q15: Query<DailyReport> = {
  name: 'q15',
  about: 'statistics of each day',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(
        ({ auction, bidder, price, dateTime }): DailyBid => ({
          day: dayOf(dateTime),
          auction,
          bidder,
          price,
        }),
      )
      .setParallelism(parallelism)
      .keyBy(bid => bid.day)
      .process(new Report()),
  key: row => row.day,
}
