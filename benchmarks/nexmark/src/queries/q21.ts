import type { NexmarkInput, Query } from './query.ts'

interface ChannelBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly channel_id: string
}

const IDS: ReadonlyMap<string, string> = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
])
const CHANNEL_ID = /(?:&|^)channel_id=([^&]*)/

/** Bids with the number of their channel: of four it is known, others have it in the url. */
export const q21: Query<ChannelBid> = {
  name: 'q21',
  about: 'bids with the id of their channel',
  build: ({ bids }: NexmarkInput) =>
    bids.flatMap<ChannelBid>(({ auction, bidder, price, channel, url }, out) => {
      const channel_id = IDS.get(channel.toLowerCase()) ?? CHANNEL_ID.exec(url)?.[1]
      if (channel_id !== undefined) out({ auction, bidder, price, channel, channel_id })
    }),
}
