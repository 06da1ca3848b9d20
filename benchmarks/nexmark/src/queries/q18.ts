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

/** Passes on a bid that is not older than the last one of its key: of two at the same time the one that came later. */
class LastBid implements KeyedProcessFunction<[number, number], Bid, Bid> {
  #time!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#time = context.getState(new ValueStateDescriptor('time of the last bid', -Infinity))
  }

  processElement(bid: Bid, _context: KeyedProcessContext<[number, number]>, out: Collector<Bid>): void {
    if (bid.dateTime < (this.#time.value() as number)) return
    this.#time.update(bid.dateTime)
    out(bid)
  }
}

/** The last bid of everybody in each auction. */
export const q18: Query<Bid> = {
  name: 'q18',
  about: 'the last bid of each bidder in each auction',
  build: ({ bids }: NexmarkInput) =>
    bids.keyBy(({ bidder, auction }): [number, number] => [bidder, auction]).process(new LastBid()),
  key: row => `${row.bidder} ${row.auction}`,
}
