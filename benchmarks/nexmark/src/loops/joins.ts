import type { Auction, Bid, Event, Person } from '../model/events.ts'
import { type Loop, type LoopFactory, listOf } from './loop.ts'

const STATES = new Set(['OR', 'ID', 'CA'])

export const q3: LoopFactory = emit => {
  const sellers = new Map<number, Person>()
  const waiting = new Map<number, number[]>()
  const join = ({ name, city, state }: Person, id: number): void => {
    if (STATES.has(state)) emit({ name, city, state, id })
  }
  return {
    event({ person, auction }) {
      if (person !== undefined) {
        sellers.set(person.id, person)
        for (const id of waiting.get(person.id) ?? []) join(person, id)
        waiting.delete(person.id)
      } else if (auction?.category === 10) {
        const seller = sellers.get(auction.seller)
        if (seller === undefined) listOf(waiting, auction.seller).push(auction.id)
        else join(seller, auction.id)
      }
    },
  }
}

/** Calls `join` for each bid when its auction is known. @param opened before the bids that waited */
function auctionsWithBids<State>(
  opened: (auction: Auction) => State,
  join: (state: State, bid: Bid) => void,
): Loop {
  const auctions = new Map<number, State>()
  const early = new Map<number, Bid[]>()
  return {
    event({ auction, bid }: Event) {
      if (bid !== undefined) {
        const state = auctions.get(bid.auction)
        if (state === undefined) listOf(early, bid.auction).push(bid)
        else join(state, bid)
      } else if (auction !== undefined) {
        const state = opened(auction)
        auctions.set(auction.id, state)
        for (const waited of early.get(auction.id) ?? []) join(state, waited)
        early.delete(auction.id)
      }
    },
  }
}

export const q4: LoopFactory = emit => {
  const categories = new Map<number, { sum: number; auctions: number }>()
  return auctionsWithBids(
    ({ category, dateTime, expires }) => ({ category, dateTime, expires, highest: 0 }),
    (auction, { price, dateTime }) => {
      if (dateTime < auction.dateTime || dateTime > auction.expires || price <= auction.highest) return
      let total = categories.get(auction.category)
      if (total === undefined) {
        total = { sum: 0, auctions: 0 }
        categories.set(auction.category, total)
      }
      if (auction.highest === 0) total.auctions++
      total.sum += price - auction.highest
      auction.highest = price
      emit({
        category: auction.category,
        final: (total.sum - (total.sum % total.auctions)) / total.auctions,
      })
    },
  )
}

export const q9: LoopFactory = emit =>
  auctionsWithBids(
    auction => ({ auction, best: undefined as Bid | undefined }),
    (state, bid) => {
      const { auction, best } = state
      if (bid.dateTime < auction.dateTime || bid.dateTime > auction.expires) return
      if (best !== undefined && bid.price < best.price) return
      if (best !== undefined && bid.price === best.price && bid.dateTime >= best.dateTime) return
      state.best = bid
      emit({
        ...auction,
        auction: bid.auction,
        bidder: bid.bidder,
        price: bid.price,
        bid_dateTime: bid.dateTime,
        bid_extra: bid.extra,
      })
    },
  )

export const q20: LoopFactory = emit =>
  auctionsWithBids(
    auction => (auction.category === 10 ? auction : null),
    (auction, bid) => {
      if (auction === null) return
      emit({
        auction: bid.auction,
        bidder: bid.bidder,
        price: bid.price,
        channel: bid.channel,
        url: bid.url,
        bid_dateTime: bid.dateTime,
        bid_extra: bid.extra,
        itemName: auction.itemName,
        description: auction.description,
        initialBid: auction.initialBid,
        reserve: auction.reserve,
        auction_dateTime: auction.dateTime,
        expires: auction.expires,
        seller: auction.seller,
        category: auction.category,
        auction_extra: auction.extra,
      })
    },
  )
