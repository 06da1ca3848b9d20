import type { DataStream } from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

export interface PlainBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly dateTime: number
  readonly extra: string
}

/** Every bid as it is: what the engine itself costs. */
export const q0: Query<PlainBid> = {
  name: 'q0',
  about: 'every bid',
  build: ({ bids }: NexmarkInput): DataStream<PlainBid> =>
    bids.map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
}
