import { dayOf, dayText, minuteOf, minuteText } from '../model/calendar.ts'
import type { LoopFactory } from './loop.ts'

export const q0: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, price, dateTime, extra } = bid
    emit({ auction, bidder, price, dateTime, extra })
  },
})

export const q1: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, dateTime, extra } = bid
    emit({ auction, bidder, price: (bid.price * 908) / 1000, dateTime, extra })
  },
})

export const q2: LoopFactory = emit => ({
  event({ bid }) {
    if (bid !== undefined && bid.auction % 123 === 0) emit({ auction: bid.auction, price: bid.price })
  },
})

export const q10: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, price, dateTime, extra } = bid
    const [dt, hm] = [dayText(dayOf(dateTime)), minuteText(minuteOf(dateTime))]
    emit({ auction, bidder, price, dateTime, extra, dt, hm })
  },
})

export const q13: LoopFactory = (emit, sideInput) => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, price, dateTime } = bid
    const value = sideInput.get(auction % 10_000)
    if (value !== undefined) emit({ auction, bidder, price, dateTime, value })
  },
})

export const q14: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const price = (bid.price * 908) / 1000
    if (price <= 1_000_000 || price >= 50_000_000) return
    const { auction, bidder, dateTime, extra } = bid
    const hour = Math.floor(dateTime / 3_600_000) % 24
    const bidTimeType =
      hour >= 8 && hour <= 18 ? 'dayTime' : hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
    let c_counts = 0
    for (let i = 0; i < extra.length; i++) if (extra[i] === 'c') c_counts++
    emit({ auction, bidder, price, bidTimeType, dateTime, extra, c_counts })
  },
})

const CHANNELS = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
])
const CHANNEL_ID = /(?:&|^)channel_id=([^&]*)/

export const q21: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, price, channel, url } = bid
    const channel_id = CHANNELS.get(channel.toLowerCase()) ?? CHANNEL_ID.exec(url)?.[1]
    if (channel_id !== undefined) emit({ auction, bidder, price, channel, channel_id })
  },
})

export const q22: LoopFactory = emit => ({
  event({ bid }) {
    if (bid === undefined) return
    const { auction, bidder, price, channel, url } = bid
    const [, , , dir1 = null, dir2 = null, dir3 = null] = url.split('/', 6)
    emit({ auction, bidder, price, channel, dir1, dir2, dir3 })
  },
})
