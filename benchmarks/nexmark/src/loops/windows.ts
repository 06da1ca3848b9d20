import type { Bid } from '../model/events.ts'
import type { LoopFactory } from './loop.ts'

const SIZE_MS = 10_000
const SLIDE_MS = 2000

export const q5: LoopFactory = emit => {
  /** Counts of each slide, by its start. */
  const panes = new Map<number, Map<number, number>>()
  let watermark = -Infinity
  /** Windows that end here or before have fired. */
  let fired = -Infinity
  const fire = (end: number): void => {
    const counts = new Map<number, number>()
    let most = 0
    for (let start = end - SIZE_MS; start < end; start += SLIDE_MS) {
      for (const [auction, n] of panes.get(start) ?? []) {
        const num = (counts.get(auction) ?? 0) + n
        counts.set(auction, num)
        if (num > most) most = num
      }
    }
    for (const [auction, num] of counts) if (num === most) emit({ auction, num })
  }
  const advance = (to: number): void => {
    watermark = to
    const over = Math.floor((to + 1) / SLIDE_MS) * SLIDE_MS
    if (over <= fired || panes.size === 0) return
    const starts = [...panes.keys()]
    const last = Math.min(over, Math.max(...starts) + SIZE_MS)
    for (let end = Math.max(fired, Math.min(...starts)) + SLIDE_MS; end <= last; end += SLIDE_MS) fire(end)
    fired = over
    for (const start of starts) if (start + SIZE_MS <= over) panes.delete(start)
  }
  return {
    event({ bid }) {
      if (bid === undefined) return
      const start = bid.dateTime - (bid.dateTime % SLIDE_MS)
      // The last window with this pane is over.
      if (start + SIZE_MS - 1 <= watermark) return
      let pane = panes.get(start)
      if (pane === undefined) {
        pane = new Map()
        panes.set(start, pane)
      }
      pane.set(bid.auction, (pane.get(bid.auction) ?? 0) + 1)
    },
    advance,
    end: () => advance(Infinity),
  }
}

export const q7: LoopFactory = emit => {
  const open = new Map<number, { highest: number; bids: Bid[] }>()
  const closed = new Map<number, number>()
  let watermark = -Infinity
  const join = ({ auction, price, bidder, dateTime, extra }: Bid): void =>
    emit({ auction, price, bidder, dateTime, extra })
  const add = (end: number, bid: Bid): void => {
    if (end - 1 <= watermark) {
      if (closed.get(end) === bid.price) join(bid)
      return
    }
    let window = open.get(end)
    if (window === undefined) {
      window = { highest: -1, bids: [] }
      open.set(end, window)
    }
    if (bid.price < window.highest) return
    if (bid.dateTime < end && bid.price > window.highest) {
      window.highest = bid.price
      window.bids = window.bids.filter(other => other.price >= bid.price)
    }
    window.bids.push(bid)
  }
  const advance = (to: number): void => {
    watermark = to
    for (const [end, { highest, bids }] of open) {
      if (end - 1 > to) continue
      open.delete(end)
      if (highest >= 0) closed.set(end, highest)
      for (const bid of bids) if (bid.price === highest) join(bid)
    }
  }
  return {
    event({ bid }) {
      if (bid === undefined) return
      const start = bid.dateTime - (bid.dateTime % SIZE_MS)
      add(start + SIZE_MS, bid)
      if (bid.dateTime === start) add(start, bid)
    },
    advance,
    end: () => advance(Infinity),
  }
}

export const q8: LoopFactory = emit => {
  const windows = new Map<number, Map<number, { name: string | undefined; sells: boolean }>>()
  let watermark = -Infinity
  const seen = (id: number, time: number): { name: string | undefined; sells: boolean } | undefined => {
    const start = time - (time % SIZE_MS)
    if (start + SIZE_MS - 1 <= watermark) return undefined
    let window = windows.get(start)
    if (window === undefined) {
      window = new Map()
      windows.set(start, window)
    }
    let seller = window.get(id)
    if (seller === undefined) {
      seller = { name: undefined, sells: false }
      window.set(id, seller)
    }
    return seller
  }
  const advance = (to: number): void => {
    watermark = to
    for (const [stime, window] of windows) {
      if (stime + SIZE_MS - 1 > to) continue
      windows.delete(stime)
      for (const [id, { name, sells }] of window) if (name !== undefined && sells) emit({ id, name, stime })
    }
  }
  return {
    event({ person, auction }) {
      if (person !== undefined) {
        const seller = seen(person.id, person.dateTime)
        if (seller !== undefined) seller.name = person.name
      } else if (auction !== undefined) {
        const seller = seen(auction.seller, auction.dateTime)
        if (seller !== undefined) seller.sells = true
      }
    },
    advance,
    end: () => advance(Infinity),
  }
}

interface Session {
  start: number
  end: number
  count: number
}

/** Sessions are looked through once in so much event time. */
const SWEEP_MS = 1000

export const q11: LoopFactory = emit => {
  /** Those of a bidder that are open; mostly one. */
  const sessions = new Map<number, Session[]>()
  let watermark = -Infinity
  let swept = -Infinity
  /** Emits the session if it is over. */
  const isOver = (bidder: number, { start, end, count }: Session): boolean => {
    if (end - 1 > watermark) return false
    emit({ bidder, bid_count: count, starttime: start, endtime: end })
    return true
  }
  const advance = (to: number): void => {
    watermark = to
    if (to < swept + SWEEP_MS) return
    swept = to
    for (const [bidder, open] of sessions) {
      const left = open.filter(session => !isOver(bidder, session))
      if (left.length === 0) sessions.delete(bidder)
      else if (left.length < open.length) sessions.set(bidder, left)
    }
  }
  return {
    event({ bid }) {
      if (bid === undefined) return
      const { bidder, dateTime } = bid
      const merged: Session = { start: dateTime, end: dateTime + SIZE_MS, count: 1 }
      const kept: Session[] = []
      for (const session of sessions.get(bidder) ?? []) {
        if (isOver(bidder, session)) continue
        if (session.start > merged.end || session.end < merged.start) kept.push(session)
        else {
          merged.start = Math.min(merged.start, session.start)
          merged.end = Math.max(merged.end, session.end)
          merged.count += session.count
        }
      }
      // Late, unless it met a session that is open.
      if (merged.end - 1 > watermark) kept.push(merged)
      if (kept.length === 0) sessions.delete(bidder)
      else sessions.set(bidder, kept)
    },
    advance,
    end: () => advance(Infinity),
  }
}
