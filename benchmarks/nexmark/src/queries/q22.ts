import type { NexmarkInput, Query } from './query.ts'

interface Directories {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly dir1: string | null
  readonly dir2: string | null
  readonly dir3: string | null
}

/** Bids with the first three directories of their url. */
export const q22: Query<Directories> = {
  name: 'q22',
  about: 'bids with the directories of their url',
  build: ({ bids }: NexmarkInput) =>
    bids.map(({ auction, bidder, price, channel, url }) => {
      const parts = url.split('/', 6)
      const [dir1, dir2, dir3] = [parts[3] ?? null, parts[4] ?? null, parts[5] ?? null]
      return { auction, bidder, price, channel, dir1, dir2, dir3 }
    }),
}
