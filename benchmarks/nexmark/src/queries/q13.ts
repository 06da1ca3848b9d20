import type { NexmarkInput, Query } from './query.ts'

interface EnrichedBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly dateTime: number
  readonly value: string
}

/** Rows of the side input: bids are joined by their auction modulo this. */
const SIDE_INPUT_KEYS = 10_000

/** Bids with what a table of bounded size says of their auction; those it says nothing of are left out. */
export const q13: Query<EnrichedBid> = {
  name: 'q13',
  about: 'bids joined with a side input',
  build: ({ bids, sideInput }: NexmarkInput) =>
    bids.flatMap<EnrichedBid>(({ auction, bidder, price, dateTime }, out) => {
      const value = sideInput.get(auction % SIDE_INPUT_KEYS)
      if (value !== undefined) out({ auction, bidder, price, dateTime, value })
    }),
}
