import type { Bid } from './bids.ts'

/** Records of a batch. */
export const BATCH = 512
/** Room for one. */
export const BATCH_BYTES = 128 * 1024

const HEADER_BYTES = 16
const NAMES = ['auction', 'bidder', 'price', 'channel', 'url', 'dateTime'] as const

/** Node's faster methods, which take no options. */
interface SlicedBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Write(text: string, offset: number): number
}

/**
 * The yardstick: batches of bids by columns for exactly this schema, checked record by record, but with none of what
 * real input needs (other schemas, long strings, other characters than ASCII, records that do not fit). Written for
 * speed alone, over one piece of memory.
 */
export class ColumnarBids {
  readonly #buffer: SlicedBuffer
  readonly #i32: Int32Array
  readonly #f64: Float64Array
  readonly #u16: Uint16Array
  readonly #auction = new Int32Array(BATCH)
  readonly #bidder = new Int32Array(BATCH)
  readonly #price = new Int32Array(BATCH)
  readonly #channel = new Uint16Array(BATCH)
  readonly #url = new Uint16Array(BATCH)
  readonly #dateTime = new Float64Array(BATCH)
  #heap = ''
  count = 0

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#buffer = Buffer.from(memory as ArrayBuffer) as unknown as SlicedBuffer
    this.#i32 = new Int32Array(memory)
    this.#f64 = new Float64Array(memory)
    this.#u16 = new Uint16Array(memory)
  }

  append(bid: Bid): void {
    let name = 0
    for (const key in bid) if (key !== NAMES[name++]) throw new Error('another schema')
    const { auction, bidder, price, channel, url, dateTime } = bid
    if (
      name !== NAMES.length ||
      (auction | 0) !== auction ||
      (bidder | 0) !== bidder ||
      (price | 0) !== price ||
      typeof channel !== 'string' ||
      typeof url !== 'string' ||
      typeof dateTime !== 'number'
    ) {
      throw new Error('another schema')
    }
    const n = this.count
    this.#auction[n] = auction
    this.#bidder[n] = bidder
    this.#price[n] = price
    this.#channel[n] = channel.length
    this.#heap += channel
    this.#url[n] = url.length
    this.#heap += url
    this.#dateTime[n] = dateTime
    this.count = n + 1
  }

  /** Writes the batch at `offset` (a multiple of 8); returns its length. */
  finish(offset: number): number {
    const n = this.count
    const wide = (n * 4 + 7) & ~7
    const narrow = (n * 2 + 7) & ~7
    let o = offset + HEADER_BYTES
    this.#f64.set(this.#dateTime.subarray(0, n), o >> 3)
    o += n * 8
    for (const column of [this.#auction, this.#bidder, this.#price]) {
      this.#i32.set(column.subarray(0, n), o >> 2)
      o += wide
    }
    for (const column of [this.#channel, this.#url]) {
      this.#u16.set(column.subarray(0, n), o >> 1)
      o += narrow
    }
    const heapBytes = this.#buffer.utf8Write(this.#heap, o)
    if (heapBytes !== this.#heap.length) throw new Error('not ASCII')
    this.#i32[offset >> 2] = n
    this.#i32[(offset >> 2) + 1] = heapBytes
    this.#heap = ''
    this.count = 0
    return (o + heapBytes + 7 - offset) & ~7
  }

  /** Hands out the records of the batch at `offset`; returns how many. */
  decode(offset: number, sink: (bid: Bid) => void): number {
    const i32 = this.#i32
    const f64 = this.#f64
    const u16 = this.#u16
    const n = i32[offset >> 2] as number
    const heapBytes = i32[(offset >> 2) + 1] as number
    const wide = (n * 4 + 7) & ~7
    const narrow = (n * 2 + 7) & ~7
    let o = offset + HEADER_BYTES
    const times = o >> 3
    o += n * 8
    const auctions = o >> 2
    const bidders = (o + wide) >> 2
    const prices = (o + 2 * wide) >> 2
    o += 3 * wide
    const channels = o >> 1
    const urls = (o + narrow) >> 1
    o += 2 * narrow
    const heap = this.#buffer.latin1Slice(o, o + heapBytes)
    let at = 0
    for (let i = 0; i < n; i++) {
      const channelEnd = at + (u16[channels + i] as number)
      const urlEnd = channelEnd + (u16[urls + i] as number)
      sink({
        auction: i32[auctions + i] as number,
        bidder: i32[bidders + i] as number,
        price: i32[prices + i] as number,
        channel: heap.substring(at, channelEnd),
        url: heap.substring(channelEnd, urlEnd),
        dateTime: f64[times + i] as number,
      })
      at = urlEnd
    }
    return n
  }
}
