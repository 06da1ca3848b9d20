import type { KeyValue } from 'flink-ts'

/** One pipeline of generator, filter, map and a count by key, as a user would write it. */
export interface Pipeline<A, B> {
  readonly name: string
  readonly generator: (index: number) => A
  readonly filter: (record: A) => boolean
  readonly map: (record: A) => B
  readonly key: (record: B) => KeyValue
  readonly reduce: (a: B, b: B) => B
}

const KEYS = 10_000
const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'] as const
const URLS: readonly string[] = Array.from({ length: 1000 }, (_, i) =>
  Buffer.from(`https://www.example.com/page.html?channel_id=${i}`).toString('latin1'),
)

interface Bid {
  auction: number
  bidder: number
  price: number
  channel: string | undefined
  url: string | undefined
  time: number
}

export interface CountedBid {
  auction: number
  price: number
  channel: string | undefined
  count: number
}

/** The measured pipeline: bids of an auction. {@link handReduce} and {@link handCount} are the same by hand. */
export const bids: Pipeline<Bid, CountedBid> = {
  name: 'bids',
  generator: index => {
    const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
    return {
      auction: u % KEYS,
      bidder: (u >>> 3) % 1000,
      price: (u >>> 5) & 0xffff,
      channel: CHANNELS[u & 3],
      url: URLS[(u >>> 2) % 1000],
      time: index,
    }
  },
  filter: bid => (bid.price & 3) !== 0,
  map: bid => ({ auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }),
  key: bid => bid.auction,
  reduce: (a, b) => ({ auction: a.auction, price: b.price, channel: b.channel, count: a.count + b.count }),
}

const pipeline = <A, B>(shape: Pipeline<A, B>): Pipeline<unknown, unknown> =>
  shape as unknown as Pipeline<unknown, unknown>

/** Records and keys of other shapes, through the same operators. */
export const others: readonly Pipeline<unknown, unknown>[] = [
  pipeline({
    name: 'words',
    generator: i => ({ word: `w${i % 100}`, n: 1 }),
    filter: r => r.n > 0,
    map: r => ({ word: r.word, n: r.n }),
    key: r => r.word,
    reduce: (a, b) => ({ word: a.word, n: a.n + b.n }),
  }),
  pipeline({
    name: 'people',
    generator: i => ({ id: i, name: `n${i % 50}`, mail: 'x' }),
    filter: r => (r.id & 1) === 0,
    map: r => ({ n: r.name, i: r.id }),
    key: r => r.n,
    reduce: (a, b) => ({ n: a.n, i: a.i + b.i }),
  }),
  pipeline({
    name: 'pairs',
    generator: i => ({ a: i * 0.5, b: i }),
    filter: r => r.a > 1,
    map: (r): [number, number] => [r.a, r.b],
    key: r => r[1] & 255,
    reduce: (a, b): [number, number] => [a[0], b[1]],
  }),
  pipeline({
    name: 'numbers',
    generator: i => i,
    filter: n => n % 3 !== 0,
    map: n => n * 2,
    key: n => n & 127,
    reduce: (a, b) => (a + b) | 0,
  }),
  pipeline({
    name: 'texts',
    generator: i => `s${i % 1000}`,
    filter: s => s.length > 2,
    map: s => s.toUpperCase(),
    key: s => s,
    reduce: (_a, b) => b,
  }),
  pipeline({
    name: 'hosts',
    generator: i => ({ ts: i, v: i, host: `h${i % 9}`, z: null }),
    filter: r => r.v > 2,
    map: r => ({ host: r.host, v: r.v, ts: r.ts }),
    key: r => r.host,
    reduce: (_a, b) => b,
  }),
]

/** Keeps the loops' results from being optimised away. */
export const consumed = { count: 0 }

/** {@link bids} as a loop, the state in a Map of mutable boxes: the fastest plain way. Reduces as `reduce` does. */
export function handReduce(): (from: number, to: number) => void {
  const state = new Map<number, { value: CountedBid }>()
  return (from, to) => {
    for (let index = from; index < to; index++) {
      const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
      const bid = {
        auction: u % KEYS,
        bidder: (u >>> 3) % 1000,
        price: (u >>> 5) & 0xffff,
        channel: CHANNELS[u & 3],
        url: URLS[(u >>> 2) % 1000],
        time: index,
      }
      if ((bid.price & 3) === 0) continue
      const mapped = { auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }
      const box = state.get(mapped.auction)
      let result: CountedBid
      if (box === undefined) {
        state.set(mapped.auction, { value: mapped })
        result = mapped
      } else {
        const a = box.value
        result = {
          auction: a.auction,
          price: mapped.price,
          channel: mapped.channel,
          count: a.count + mapped.count,
        }
        box.value = result
      }
      consumed.count += typeof result === 'number' ? 1 : 2
    }
  }
}

/** As {@link handReduce}, but counts in place and emits the record with its count, as a process function would. */
export function handCount(): (from: number, to: number) => void {
  const state = new Map<number, { count: number }>()
  return (from, to) => {
    for (let index = from; index < to; index++) {
      const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
      const bid = {
        auction: u % KEYS,
        bidder: (u >>> 3) % 1000,
        price: (u >>> 5) & 0xffff,
        channel: CHANNELS[u & 3],
        url: URLS[(u >>> 2) % 1000],
        time: index,
      }
      if ((bid.price & 3) === 0) continue
      const mapped = { auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }
      let box = state.get(mapped.auction)
      if (box === undefined) {
        box = { count: 0 }
        state.set(mapped.auction, box)
      }
      box.count++
      const result = { value: mapped, count: box.count }
      consumed.count += typeof result === 'number' ? 1 : 2
    }
  }
}
