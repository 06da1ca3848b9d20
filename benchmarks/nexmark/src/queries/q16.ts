import type { Collector, KeyedProcessContext, KeyedProcessFunction, RuntimeContext } from 'flink-ts'
import { dayOf, dayText, minuteOf, minuteText } from '../model/calendar.ts'
import { BidStatistics, type CountedBid, countColumns } from './bid-statistics.ts'
import type { NexmarkInput, Query } from './query.ts'

interface ChannelBid extends CountedBid {
  readonly channel: string
  readonly day: number
  /** Of the day. */
  readonly minute: number
}

type ChannelReport = {
  readonly channel: string
  readonly day: string
  readonly minute: string
} & ReturnType<typeof countColumns>

/** The report of a channel's day so far with each bid. */
class Report implements KeyedProcessFunction<[string, number], ChannelBid, ChannelReport> {
  #statistics!: BidStatistics

  open(context: RuntimeContext): void {
    this.#statistics = new BidStatistics(context)
  }

  processElement(
    bid: ChannelBid,
    _context: KeyedProcessContext<[string, number]>,
    out: Collector<ChannelReport>,
  ): void {
    const counts = this.#statistics.add(bid, bid.minute)
    const { channel, day } = bid
    out({ channel, day: dayText(day), minute: minuteText(counts.minute), ...countColumns(counts) })
  }
}

/** Bids, bidders and auctions of each channel and day. */
export const q16: Query<ChannelReport> = {
  name: 'q16',
  about: 'statistics of each channel and day',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(
        ({ channel, auction, bidder, price, dateTime }): ChannelBid => ({
          channel,
          day: dayOf(dateTime),
          minute: minuteOf(dateTime),
          auction,
          bidder,
          price,
        }),
      )
      .setParallelism(parallelism)
      .keyBy(({ channel, day }): [string, number] => [channel, day])
      .process(new Report()),
  key: row => `${row.day} ${row.channel}`,
}
