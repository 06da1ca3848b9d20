import { hourOf } from '../model/calendar.ts'
import { inEuros } from './q1.ts'
import type { NexmarkInput, Query } from './query.ts'

interface TimedBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly bidTimeType: 'dayTime' | 'nightTime' | 'otherTime'
  readonly dateTime: number
  readonly extra: string
  readonly c_counts: number
}

/** The user's function of this query: how often the character is in the text. */
function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count++
  return count
}

function timeTypeOf(dateTime: number): TimedBid['bidTimeType'] {
  const hour = hourOf(dateTime)
  if (hour >= 8 && hour <= 18) return 'dayTime'
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
}

/** Bids of some prices, with the time of the day and a function of the user. */
export const q14: Query<TimedBid> = {
  name: 'q14',
  about: 'bids of middle prices with time of day and a user function',
  build: ({ bids }: NexmarkInput) =>
    bids.flatMap<TimedBid>((bid, out) => {
      const price = inEuros(bid.price)
      if (price <= 1_000_000 || price >= 50_000_000) return
      const { auction, bidder, dateTime, extra } = bid
      const bidTimeType = timeTypeOf(dateTime)
      out({ auction, bidder, price, bidTimeType, dateTime, extra, c_counts: countOf('c', extra) })
    }),
}
