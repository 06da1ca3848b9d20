import { parseEvent } from '../input/event-lines.ts'
import { auctionEvent, bidEvent, type Event, personEvent } from '../model/events.ts'
import { NexmarkGenerator } from '../model/generator.ts'

/** In event time: a window of ten seconds is a million events. */
const EVENTS_PER_SECOND = 100_000
/** Two seconds of event time. */
const BLOCK = 200_000
export const BLOCK_MS = (BLOCK * 1000) / EVENTS_PER_SECOND
const PERSONS_OF_BLOCK = BLOCK / 50
const AUCTIONS_OF_BLOCK = (BLOCK / 50) * 3

/** The events of a seed that are replayed, one JSON object each. */
export function* preparedLines(seed: number): Generator<string> {
  const generator = new NexmarkGenerator({
    seed,
    startTime: Date.UTC(2026, 0, 1),
    eventsPerSecond: EVENTS_PER_SECOND,
  })
  for (let i = 0; i < BLOCK; i++) yield JSON.stringify(generator.next())
}

/**
 * Events of a seed, in memory before anything is measured, for one of several readers, which get every so-manieth. They
 * are replayed round by round with time and ids shifted, so that windows and state behave as in one long stream.
 */
export class PreparedEvents {
  readonly #events: readonly Event[]

  constructor(seed: number, reader: number, readers: number) {
    const events: Event[] = []
    let number = 0
    // Parsed again: what the generator makes are parts of longer strings, as no real source gives them.
    for (const line of preparedLines(seed)) {
      if (number % readers === reader) events.push(parseEvent(line, 'generator', number))
      number++
    }
    this.#events = events
  }

  /** The event at a position, from 0: a new object each time, as a source would make it. */
  at(position: number): Event {
    const events = this.#events
    const place = position % events.length
    const round = (position - place) / events.length
    const { person, auction, bid } = events[place] as Event
    const [time, auctions, persons] = [round * BLOCK_MS, round * AUCTIONS_OF_BLOCK, round * PERSONS_OF_BLOCK]
    if (bid !== undefined) {
      return bidEvent({
        auction: bid.auction + auctions,
        bidder: bid.bidder + persons,
        price: bid.price,
        channel: bid.channel,
        url: bid.url,
        dateTime: bid.dateTime + time,
        extra: bid.extra,
      })
    }
    if (auction !== undefined) {
      return auctionEvent({
        id: auction.id + auctions,
        itemName: auction.itemName,
        description: auction.description,
        initialBid: auction.initialBid,
        reserve: auction.reserve,
        dateTime: auction.dateTime + time,
        expires: auction.expires + time,
        seller: auction.seller + persons,
        category: auction.category,
        extra: auction.extra,
      })
    }
    if (person === undefined) throw new RangeError(`no event at ${position}`)
    return personEvent({
      id: person.id + persons,
      name: person.name,
      emailAddress: person.emailAddress,
      creditCard: person.creditCard,
      city: person.city,
      state: person.state,
      dateTime: person.dateTime + time,
      extra: person.extra,
    })
  }
}
