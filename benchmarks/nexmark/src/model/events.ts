/** Somebody who offers or bids. Of each 50 events one. About 200 bytes. */
export interface Person {
  readonly id: number
  readonly name: string
  readonly emailAddress: string
  readonly creditCard: string
  readonly city: string
  readonly state: string
  /** Milliseconds since the epoch, as all times here. */
  readonly dateTime: number
  readonly extra: string
}

/** Something offered for sale. Of each 50 events three. About 500 bytes. */
export interface Auction {
  readonly id: number
  readonly itemName: string
  readonly description: string
  readonly initialBid: number
  readonly reserve: number
  readonly dateTime: number
  readonly expires: number
  /** A {@link Person.id}. */
  readonly seller: number
  /** From 10 to 14. */
  readonly category: number
  readonly extra: string
}

/** A bid. Of each 50 events 46. About 100 bytes. */
export interface Bid {
  /** An {@link Auction.id}; it may come later than the bid. */
  readonly auction: number
  /** A {@link Person.id}. */
  readonly bidder: number
  /** Whole cents, at most 10^8. */
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
  readonly extra: string
}

/** One of the three; the others are undefined. All events have the same four fields, for the sake of the compiler. */
export interface Event {
  readonly event_type: 0 | 1 | 2
  readonly person: Person | undefined
  readonly auction: Auction | undefined
  readonly bid: Bid | undefined
}

export const personEvent = (person: Person): Event => ({
  event_type: 0,
  person,
  auction: undefined,
  bid: undefined,
})

export const auctionEvent = (auction: Auction): Event => ({
  event_type: 1,
  person: undefined,
  auction,
  bid: undefined,
})

export const bidEvent = (bid: Bid): Event => ({ event_type: 2, person: undefined, auction: undefined, bid })

/** When it happened, in event time. */
export function timeOf({ event_type, person, auction, bid }: Event): number {
  return (event_type === 2 ? bid : event_type === 1 ? auction : person)?.dateTime as number
}
