import type { PlainBid } from './q0.ts'
import type { NexmarkInput, Query } from './query.ts'

/** A price in euros, exact to three digits: the product is a whole number, so that only the division rounds. */
export const inEuros = (price: number): number => (price * 908) / 1000

/** Every bid with its price in another currency. */
export const q1: Query<PlainBid> = {
  name: 'q1',
  about: 'every bid, its price in euros',
  build: ({ bids }: NexmarkInput) =>
    bids.map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: inEuros(price),
      dateTime,
      extra,
    })),
}
