import type { NexmarkInput, Query } from './query.ts'

/** Bids on some auctions. */
export const q2: Query<{ auction: number; price: number }> = {
  name: 'q2',
  about: 'bids on every 123rd auction',
  build: ({ bids }: NexmarkInput) =>
    bids.filter(({ auction }) => auction % 123 === 0).map(({ auction, price }) => ({ auction, price })),
}
