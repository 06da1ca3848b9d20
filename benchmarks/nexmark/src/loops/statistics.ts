import { dayOf, dayText, minuteOf, minuteText } from '../model/calendar.ts'
import type { Bid } from '../model/events.ts'
import type { LoopFactory } from './loop.ts'

interface Seen {
  readonly counts: [number, number, number, number]
  /** Bits of the ranks of each id. */
  readonly ranks: Map<number, number>
}

interface Statistics {
  readonly bids: [number, number, number, number]
  readonly bidders: Seen
  readonly auctions: Seen
}

const rankOf = (price: number): 1 | 2 | 3 => (price < 10_000 ? 1 : price < 1_000_000 ? 2 : 3)
const noneSeen = (): Seen => ({ counts: [0, 0, 0, 0], ranks: new Map() })
const noStatistics = (): Statistics => ({ bids: [0, 0, 0, 0], bidders: noneSeen(), auctions: noneSeen() })

function see({ counts, ranks }: Seen, id: number, rank: 1 | 2 | 3): void {
  const before = ranks.get(id)
  if (before === undefined) counts[0]++
  else if ((before & (1 << rank)) !== 0) return
  counts[rank]++
  ranks.set(id, (before ?? 0) | (1 << rank))
}

function count(statistics: Statistics, { auction, bidder, price }: Bid): void {
  const rank = rankOf(price)
  statistics.bids[0]++
  statistics.bids[rank]++
  see(statistics.bidders, bidder, rank)
  see(statistics.auctions, auction, rank)
}

const columns = ({ bids, bidders, auctions }: Statistics) => ({
  total_bids: bids[0],
  rank1_bids: bids[1],
  rank2_bids: bids[2],
  rank3_bids: bids[3],
  total_bidders: bidders.counts[0],
  rank1_bidders: bidders.counts[1],
  rank2_bidders: bidders.counts[2],
  rank3_bidders: bidders.counts[3],
  total_auctions: auctions.counts[0],
  rank1_auctions: auctions.counts[1],
  rank2_auctions: auctions.counts[2],
  rank3_auctions: auctions.counts[3],
})

export const q15: LoopFactory = emit => {
  const days = new Map<number, Statistics>()
  return {
    event({ bid }) {
      if (bid === undefined) return
      const day = dayOf(bid.dateTime)
      let statistics = days.get(day)
      if (statistics === undefined) {
        statistics = noStatistics()
        days.set(day, statistics)
      }
      count(statistics, bid)
      emit({ day: dayText(day), ...columns(statistics) })
    },
  }
}

export const q16: LoopFactory = emit => {
  const days = new Map<number, Map<string, Statistics & { minute: number }>>()
  return {
    event({ bid }) {
      if (bid === undefined) return
      const day = dayOf(bid.dateTime)
      let channels = days.get(day)
      if (channels === undefined) {
        channels = new Map()
        days.set(day, channels)
      }
      let statistics = channels.get(bid.channel)
      if (statistics === undefined) {
        statistics = { ...noStatistics(), minute: 0 }
        channels.set(bid.channel, statistics)
      }
      count(statistics, bid)
      statistics.minute = Math.max(statistics.minute, minuteOf(bid.dateTime))
      emit({
        channel: bid.channel,
        day: dayText(day),
        minute: minuteText(statistics.minute),
        ...columns(statistics),
      })
    },
  }
}

export const q17: LoopFactory = emit => {
  interface Prices {
    readonly bids: [number, number, number, number]
    least: number
    highest: number
    sum: number
  }
  const days = new Map<number, Map<number, Prices>>()
  return {
    event({ bid }) {
      if (bid === undefined) return
      const { auction, price, dateTime } = bid
      const day = dayOf(dateTime)
      let auctions = days.get(day)
      if (auctions === undefined) {
        auctions = new Map()
        days.set(day, auctions)
      }
      let prices = auctions.get(auction)
      if (prices === undefined) {
        prices = { bids: [0, 0, 0, 0], least: price, highest: price, sum: 0 }
        auctions.set(auction, prices)
      }
      const { bids } = prices
      bids[0]++
      bids[rankOf(price)]++
      if (price < prices.least) prices.least = price
      if (price > prices.highest) prices.highest = price
      prices.sum += price
      emit({
        auction,
        day: dayText(day),
        total_bids: bids[0],
        rank1_bids: bids[1],
        rank2_bids: bids[2],
        rank3_bids: bids[3],
        min_price: prices.least,
        max_price: prices.highest,
        avg_price: (prices.sum - (prices.sum % bids[0])) / bids[0],
        sum_price: prices.sum,
      })
    },
  }
}

export const q12: LoopFactory = emit => {
  let end = 0
  let counts = new Map<number, number>()
  const fire = (): void => {
    for (const [bidder, bid_count] of counts) {
      emit({ bidder, bid_count, starttime: end - 10_000, endtime: end })
    }
    counts = new Map()
  }
  return {
    event({ bid }) {
      if (bid === undefined) return
      const now = Date.now()
      if (now >= end) {
        fire()
        end = now - (now % 10_000) + 10_000
      }
      counts.set(bid.bidder, (counts.get(bid.bidder) ?? 0) + 1)
    },
    end: fire,
  }
}
