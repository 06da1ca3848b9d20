import type { Bid } from '../model/events.ts'
import { type LoopFactory, listOf } from './loop.ts'

export const q18: LoopFactory = emit => {
  const bidders = new Map<number, Map<number, number>>()
  return {
    event({ bid }) {
      if (bid === undefined) return
      let auctions = bidders.get(bid.bidder)
      if (auctions === undefined) {
        auctions = new Map()
        bidders.set(bid.bidder, auctions)
      }
      const last = auctions.get(bid.auction)
      if (last !== undefined && bid.dateTime < last) return
      auctions.set(bid.auction, bid.dateTime)
      emit(bid)
    },
  }
}

export const q19: LoopFactory = emit => {
  const auctions = new Map<number, Bid[]>()
  return {
    event({ bid }) {
      if (bid === undefined) return
      const top = listOf(auctions, bid.auction)
      let place = top.length
      while (place > 0 && (top[place - 1] as Bid).price < bid.price) place--
      if (place === 10) return
      if (top.length === 10) top.pop()
      top.splice(place, 0, bid)
      for (; place < top.length; place++) emit({ ...(top[place] as Bid), rank_number: place + 1 })
    },
  }
}
