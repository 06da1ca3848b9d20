import {
  type Collector,
  type KeyedCoProcessFunction,
  type KeyedProcessContext,
  type ListState,
  ListStateDescriptor,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { Auction, Bid } from '../model/events.ts'
import type { NexmarkInput, Query } from './query.ts'

interface ExpandedBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly bid_dateTime: number
  readonly bid_extra: string
  readonly itemName: string
  readonly description: string
  readonly initialBid: number
  readonly reserve: number
  readonly auction_dateTime: number
  readonly expires: number
  readonly seller: number
  readonly category: number
  readonly auction_extra: string
}

const CATEGORY = 10

/**
 * Joins each bid with its auction, whichever comes first. Auctions of other categories take part, so that it is known
 * which bids need not wait.
 */
class Expand implements KeyedCoProcessFunction<number, Auction, Bid, ExpandedBid> {
  #auction!: ValueState<Auction | 'other category'>
  #early!: ListState<Bid>

  open(context: RuntimeContext): void {
    this.#auction = context.getState(new ValueStateDescriptor<Auction | 'other category'>('auction'))
    this.#early = context.getListState(new ListStateDescriptor<Bid>('early bids'))
  }

  processElement1(
    auction: Auction,
    _context: KeyedProcessContext<number>,
    out: Collector<ExpandedBid>,
  ): void {
    const wanted = auction.category === CATEGORY
    this.#auction.update(wanted ? auction : 'other category')
    if (wanted) for (const bid of this.#early.get()) out(expanded(auction, bid))
    this.#early.clear()
  }

  processElement2(bid: Bid, _context: KeyedProcessContext<number>, out: Collector<ExpandedBid>): void {
    const auction = this.#auction.value()
    if (auction === undefined) this.#early.add(bid)
    else if (auction !== 'other category') out(expanded(auction, bid))
  }
}

const expanded = (auction: Auction, bid: Bid): ExpandedBid => ({
  auction: bid.auction,
  bidder: bid.bidder,
  price: bid.price,
  channel: bid.channel,
  url: bid.url,
  bid_dateTime: bid.dateTime,
  bid_extra: bid.extra,
  itemName: auction.itemName,
  description: auction.description,
  initialBid: auction.initialBid,
  reserve: auction.reserve,
  auction_dateTime: auction.dateTime,
  expires: auction.expires,
  seller: auction.seller,
  category: auction.category,
  auction_extra: auction.extra,
})

/** Each bid with all of its auction, in one category. */
export const q20: Query<ExpandedBid> = {
  name: 'q20',
  about: 'bids with their auctions of category 10',
  build: ({ auctions, bids }: NexmarkInput) =>
    auctions
      .keyBy(auction => auction.id)
      .connect(bids.keyBy(bid => bid.auction))
      .process(new Expand()),
}
