import {
  type Auction,
  auctionEvent,
  type Bid,
  bidEvent,
  type Event,
  type Person,
  personEvent,
} from '../model/events.ts'

/** The event of a line of an event file. @throws RangeError naming the line if it is none */
export function parseEvent(line: string, path: string, number: number): Event {
  let parsed: { event_type?: unknown; person?: Person; auction?: Auction; bid?: Bid } | null
  try {
    parsed = JSON.parse(line)
  } catch (cause) {
    throw new RangeError(`${path}:${number} is not JSON: ${shown(line)}`, { cause })
  }
  const { event_type: type, person, auction, bid } = parsed ?? {}
  const event =
    type === 2 && bid !== undefined
      ? bidEvent(bid)
      : type === 1 && auction !== undefined
        ? auctionEvent(auction)
        : type === 0 && person !== undefined
          ? personEvent(person)
          : undefined
  const time = (bid ?? auction ?? person)?.dateTime
  if (event !== undefined && Number.isSafeInteger(time)) return event
  const expected =
    '{"event_type":2,"bid":{"auction":1000,...,"dateTime":<milliseconds>}}, or 0 with person, 1 with auction'
  throw new RangeError(`${path}:${number} is no event: ${shown(line)}. Expected something like ${expected}`)
}

const shown = (line: string): string => (line.length > 200 ? `${line.slice(0, 200)}…` : line)
