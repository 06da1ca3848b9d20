import {
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { Bid } from '../model/events.ts'
import type { NexmarkInput, Query } from './query.ts'

interface RankedBid extends Bid {
  /** From 1. */
  readonly rank_number: number
}

const PLACES = 10

/** The highest bids of an auction in order; of equal ones that which came first. Emits each place that changes. */
class TopBids implements KeyedProcessFunction<number, Bid, RankedBid> {
  #top!: ValueState<Bid[]>

  open(context: RuntimeContext): void {
    this.#top = context.getState(new ValueStateDescriptor<Bid[]>('top'))
  }

  processElement(bid: Bid, _context: KeyedProcessContext<number>, out: Collector<RankedBid>): void {
    const top = this.#top.value() ?? []
    let place = top.length
    while (place > 0 && (top[place - 1] as Bid).price < bid.price) place--
    if (place === PLACES) return
    if (top.length === PLACES) top.pop()
    top.splice(place, 0, bid)
    this.#top.update(top)
    for (; place < top.length; place++) out(ranked(top[place] as Bid, place + 1))
  }
}

const ranked = (bid: Bid, rank_number: number): RankedBid => ({
  auction: bid.auction,
  bidder: bid.bidder,
  price: bid.price,
  channel: bid.channel,
  url: bid.url,
  dateTime: bid.dateTime,
  extra: bid.extra,
  rank_number,
})

/** The ten highest bids of each auction. */
export const q19: Query<RankedBid> = {
  name: 'q19',
  about: 'the ten highest bids of each auction',
  build: ({ bids }: NexmarkInput) => bids.keyBy(bid => bid.auction).process(new TopBids()),
  key: row => `${row.auction} ${row.rank_number}`,
}
