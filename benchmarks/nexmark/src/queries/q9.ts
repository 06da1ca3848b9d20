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
import type { Auction } from '../model/events.ts'
import type { PlainBid } from './q0.ts'
import type { NexmarkInput, Query } from './query.ts'

interface WinningBid extends Auction {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly bid_dateTime: number
  readonly bid_extra: string
}

/** The best valid bid of each auction so far. Bids wait for their auction without a limit. */
class BestBid implements KeyedCoProcessFunction<number, Auction, PlainBid, WinningBid> {
  #auction!: ValueState<Auction>
  #best!: ValueState<PlainBid>
  #early!: ListState<PlainBid>

  open(context: RuntimeContext): void {
    this.#auction = context.getState(new ValueStateDescriptor<Auction>('auction'))
    this.#best = context.getState(new ValueStateDescriptor<PlainBid>('best bid'))
    this.#early = context.getListState(new ListStateDescriptor<PlainBid>('early bids'))
  }

  processElement1(auction: Auction, _context: KeyedProcessContext<number>, out: Collector<WinningBid>): void {
    this.#auction.update(auction)
    let best: PlainBid | undefined
    for (const bid of this.#early.get()) if (isBetter(auction, best, bid)) best = bid
    this.#early.clear()
    if (best !== undefined) this.#won(auction, best, out)
  }

  processElement2(bid: PlainBid, _context: KeyedProcessContext<number>, out: Collector<WinningBid>): void {
    const auction = this.#auction.value()
    if (auction === undefined) this.#early.add(bid)
    else if (isBetter(auction, this.#best.value(), bid)) this.#won(auction, bid, out)
  }

  #won(auction: Auction, bid: PlainBid, out: Collector<WinningBid>): void {
    this.#best.update(bid)
    out({
      id: auction.id,
      itemName: auction.itemName,
      description: auction.description,
      initialBid: auction.initialBid,
      reserve: auction.reserve,
      dateTime: auction.dateTime,
      expires: auction.expires,
      seller: auction.seller,
      category: auction.category,
      extra: auction.extra,
      auction: bid.auction,
      bidder: bid.bidder,
      price: bid.price,
      bid_dateTime: bid.dateTime,
      bid_extra: bid.extra,
    })
  }
}

function isBetter(auction: Auction, best: PlainBid | undefined, bid: PlainBid): boolean {
  if (bid.dateTime < auction.dateTime || bid.dateTime > auction.expires) return false
  if (best === undefined || bid.price !== best.price) return best === undefined || bid.price > best.price
  return bid.dateTime < best.dateTime
}

/** Who wins each auction: the highest bid, of equal ones the earliest. */
export const q9: Query<WinningBid> = {
  name: 'q9',
  about: 'the winning bid of each auction',
  build: ({ auctions, bids, parallelism }: NexmarkInput) =>
    auctions
      .keyBy(auction => auction.id)
      .connect(
        bids
          .map(
            ({ auction, bidder, price, dateTime, extra }): PlainBid => ({
              auction,
              bidder,
              price,
              dateTime,
              extra,
            }),
          )
          .setParallelism(parallelism)
          .keyBy(bid => bid.auction),
      )
      .process(new BestBid()),
  key: row => row.id,
}
