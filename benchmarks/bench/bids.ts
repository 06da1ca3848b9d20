/** About 100 bytes, as in Nexmark. */
export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
}

const HOT = ['Google', 'Facebook', 'Baidu', 'Apple'] as const

/** The same bids in each call. Their strings are flat and their own, as those of real input are. */
export function makeBids(count: number): readonly Bid[] {
  let seed = 12345
  const below = (limit: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    return Math.floor(((seed >>> 4) / 2 ** 28) * limit)
  }
  const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
  const letters = (): string => String.fromCharCode(...Array.from({ length: 5 }, () => 97 + below(26)))
  return Array.from({ length: count }, (_, i) => {
    const hot = below(2) === 0
    const number = below(10_000)
    const path = `${letters()}/${letters()}/${letters()}/item.htm?query=1${hot ? '' : `&channel_id=${number}`}`
    return {
      auction: 1000 + below(100_000),
      bidder: 1000 + below(50_000),
      price: 100 + below(1_000_000),
      channel: hot ? (HOT[below(4)] as string) : fresh(`channel-${number}`),
      url: fresh(`https://www.nexmark.com/${path}`),
      dateTime: 1_700_000_000_000 + i,
    }
  })
}
