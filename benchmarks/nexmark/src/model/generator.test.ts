import { describe, expect, test } from 'vitest'
import { type Event, timeOf } from './events.ts'
import { NexmarkGenerator } from './generator.ts'

const OPTIONS = { seed: 42, startTime: Date.UTC(2026, 0, 1), eventsPerSecond: 10_000 }
const COUNT = 100_000

function generate(count: number, options = OPTIONS): Event[] {
  const generator = new NexmarkGenerator(options)
  return Array.from({ length: count }, () => generator.next())
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const textBytes = (value: object | undefined): number =>
  Object.values(value ?? {}).reduce((sum, field) => sum + (typeof field === 'string' ? field.length : 8), 0)

describe('the generator keeps to the published model', () => {
  const events = generate(COUNT)
  const persons = events.flatMap(({ person }) => person ?? [])
  const auctions = events.flatMap(({ auction }) => auction ?? [])
  const bids = events.flatMap(({ bid }) => bid ?? [])

  test('of each 50 events one is a person, three are auctions, 46 are bids', () => {
    for (let i = 0; i < COUNT; i++) {
      const type = i % 50 === 0 ? 0 : i % 50 < 4 ? 1 : 2
      if (events[i]?.event_type !== type) throw new Error(`event ${i} is of type ${events[i]?.event_type}`)
    }
    expect(persons.map(person => person.id)).toEqual(persons.map((_, i) => 1000 + i))
    expect(auctions.map(auction => auction.id)).toEqual(auctions.map((_, i) => 1000 + i))
  })

  test('sizes are about 200, 500 and 100 bytes', () => {
    expect(mean(persons.map(textBytes))).toBeCloseTo(200, -1.5)
    expect(mean(auctions.map(textBytes))).toBeCloseTo(500, -1.5)
    // The url alone may be longer than what a bid should have.
    expect(mean(bids.map(textBytes))).toBeGreaterThan(90)
    expect(mean(bids.map(textBytes))).toBeLessThan(135)
  })

  test('half of the bids go to hot auctions, three of four come from hot bidders', () => {
    // Of the hundred auctions that are recent, one is hot by chance.
    expect(bids.filter(bid => bid.auction % 100 === 0).length / bids.length).toBeCloseTo(0.505, 2)
    expect(bids.filter(bid => bid.bidder % 100 === 1).length / bids.length).toBeCloseTo(0.7525, 2)
    expect(auctions.filter(auction => auction.seller % 100 === 0).length / auctions.length).toBeCloseTo(
      0.7525,
      1,
    )
  })

  test('some bids come before their auction, none long before', () => {
    const known = new Set<number>()
    let newest = 0
    let early = 0
    for (const { auction, bid } of events) {
      if (auction !== undefined) {
        known.add(auction.id)
        newest = auction.id
      }
      if (bid === undefined || known.has(bid.auction)) continue
      early++
      if (bid.auction - newest > 10) throw new Error(`bid on ${bid.auction} while ${newest} is the newest`)
    }
    expect(early / bids.length).toBeGreaterThan(0.01)
  })

  test('half of the bids have one of four channels, the others have theirs in the url', () => {
    const hot = bids.filter(bid => !bid.channel.startsWith('channel-'))
    expect(hot.length / bids.length).toBeCloseTo(0.5, 2)
    expect(new Set(hot.map(bid => bid.channel)).size).toBe(4)
    const wrong = bids.filter(
      ({ channel, url }) => url.includes('&channel_id=') !== channel.startsWith('channel-'),
    )
    expect(wrong).toEqual([])
  })

  test('prices are from 100 to 10^8 on a logarithmic scale; auctions are open', () => {
    const logs = bids.map(bid => Math.log10(bid.price))
    expect(Math.min(...logs.slice(0, 50_000))).toBeGreaterThanOrEqual(2)
    expect(Math.max(...logs.slice(0, 50_000))).toBeLessThanOrEqual(8)
    expect(mean(logs)).toBeCloseTo(5, 1)
    expect(auctions.filter(auction => auction.expires <= auction.dateTime)).toEqual([])
  })

  test('time rises by the rate', () => {
    expect(events.map(timeOf)).toEqual(events.map((_, i) => OPTIONS.startTime + Math.floor(i / 10)))
  })
})

test('the same seed gives the same events, another one others', () => {
  expect(generate(500)).toEqual(generate(500))
  expect(generate(500, { ...OPTIONS, seed: 43 })).not.toEqual(generate(500))
})

test.each([
  [{ seed: 0.5 }, 'seed is 0.5'],
  [{ startTime: -1 }, 'startTime is -1'],
  [{ eventsPerSecond: 0 }, 'eventsPerSecond is 0'],
])('%j is refused', (change, message) => {
  expect(() => new NexmarkGenerator({ ...OPTIONS, ...change })).toThrow(message)
})
