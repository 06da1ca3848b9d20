import { auctionEvent, bidEvent, type Event, personEvent } from './events.ts'
import { SeededNumbers } from './seeded-numbers.ts'

// The published model of the benchmark: of each 50 events one person, three auctions, 46 bids.
const PROPORTION = 50
const PERSONS = 1
const AUCTIONS = 3
const FIRST_ID = 1000
const FIRST_CATEGORY = 10
const CATEGORIES = 5

/** 1 of 2 bids goes to the hot auction, 3 of 4 come from the hot bidder, 3 of 4 auctions from the hot seller. */
const HOT_AUCTION_RATIO = 2
const HOT_BIDDER_RATIO = 4
const HOT_SELLER_RATIO = 4
/** Ids after which another one is hot. */
const HOT_STRIDE = 100
/** The others are among so many that came last, and so many that are still to come. */
const ACTIVE_AUCTIONS = 100
const ACTIVE_PERSONS = 1000
const IDS_AHEAD = 10
/** How many auctions are open at the same time, which makes how long one takes. */
const AUCTIONS_IN_FLIGHT = 100
const CHANNELS = 10_000
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']

/** About how large an event of each kind is, as text. The field `extra` fills up what the others leave. */
const PERSON_BYTES = 200
const AUCTION_BYTES = 500
const BID_BYTES = 100

const FIRST_NAMES = [
  'Peter',
  'Paul',
  'Luke',
  'John',
  'Saul',
  'Vicky',
  'Kate',
  'Julie',
  'Sarah',
  'Deiter',
  'Walter',
]
const LAST_NAMES = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris']
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
]
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']

export interface GeneratorOptions {
  readonly seed: number
  /** Time of the first event, in milliseconds since the epoch. */
  readonly startTime: number
  /** In event time. */
  readonly eventsPerSecond: number
}

/** Makes events one after another: the same ones for the same options. */
export class NexmarkGenerator {
  readonly #numbers: SeededNumbers
  readonly #options: GeneratorOptions
  readonly #channels: readonly { readonly channel: string; readonly url: string }[]
  #count = 0

  /** @throws RangeError if a number makes no sense */
  constructor(options: GeneratorOptions) {
    const { seed, startTime, eventsPerSecond } = options
    if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is ${seed}, but must be a whole number`)
    if (!Number.isSafeInteger(startTime) || startTime < 0) {
      throw new RangeError(`startTime is ${startTime}, but must be milliseconds since the epoch`)
    }
    if (!(eventsPerSecond > 0))
      throw new RangeError(`eventsPerSecond is ${eventsPerSecond}, but must be above 0`)
    this.#options = options
    this.#numbers = new SeededNumbers(seed)
    this.#channels = [
      ...HOT_CHANNELS.map(channel => ({ channel, url: this.#url() })),
      ...Array.from({ length: CHANNELS }, (_, i) => ({ channel: `channel-${i}`, url: this.#urlOf(i) })),
    ]
  }

  next(): Event {
    const number = this.#count++
    const round = Math.floor(number / PROPORTION)
    const place = number % PROPORTION
    const { startTime, eventsPerSecond } = this.#options
    const time = startTime + Math.floor((number * 1000) / eventsPerSecond)
    const persons = round * PERSONS + Math.min(place + 1, PERSONS)
    const auctions = round * AUCTIONS + Math.max(0, Math.min(place + 1 - PERSONS, AUCTIONS))
    if (place < PERSONS) return this.#person(FIRST_ID + persons - 1, time)
    if (place < PERSONS + AUCTIONS) return this.#auction(FIRST_ID + auctions - 1, persons, time)
    return this.#bid(auctions, persons, time)
  }

  #person(id: number, dateTime: number): Event {
    const numbers = this.#numbers
    const name = `${numbers.of(FIRST_NAMES)} ${numbers.of(LAST_NAMES)}`
    const emailAddress = `${numbers.text(3, 7)}@${numbers.text(3, 5)}.com`
    const creditCard = Array.from({ length: 4 }, () => String(numbers.below(10_000)).padStart(4, '0')).join(
      ' ',
    )
    const [city, state] = [numbers.of(CITIES), numbers.of(STATES)]
    const used = 16 + name.length + emailAddress.length + creditCard.length + city.length + state.length
    return personEvent({
      id,
      name,
      emailAddress,
      creditCard,
      city,
      state,
      dateTime,
      extra: this.#extra(used, PERSON_BYTES),
    })
  }

  #auction(id: number, persons: number, dateTime: number): Event {
    const numbers = this.#numbers
    const newest = persons - 1
    const seller =
      numbers.below(HOT_SELLER_RATIO) > 0
        ? newest - (newest % HOT_STRIDE)
        : this.#recent(newest, ACTIVE_PERSONS)
    const category = FIRST_CATEGORY + numbers.below(CATEGORIES)
    const initialBid = numbers.price()
    const itemName = numbers.text(3, 20)
    const description = numbers.text(3, 100)
    // As many auctions come while this one is open as are open at the same time, on average.
    const eventsOpen = (AUCTIONS_IN_FLIGHT * PROPORTION) / AUCTIONS
    const openMs = Math.ceil((eventsOpen * 1000) / this.#options.eventsPerSecond)
    const expires = dateTime + 1 + numbers.below(2 * openMs)
    const extra = this.#extra(64 + itemName.length + description.length, AUCTION_BYTES)
    return auctionEvent({
      id,
      itemName,
      description,
      initialBid,
      reserve: initialBid + numbers.price(),
      dateTime,
      expires,
      seller: FIRST_ID + seller,
      category,
      extra,
    })
  }

  #bid(auctions: number, persons: number, dateTime: number): Event {
    const numbers = this.#numbers
    const newestAuction = auctions - 1
    const auction =
      numbers.below(HOT_AUCTION_RATIO) > 0
        ? newestAuction - (newestAuction % HOT_STRIDE)
        : this.#recent(newestAuction, ACTIVE_AUCTIONS)
    const newestPerson = persons - 1
    const bidder =
      numbers.below(HOT_BIDDER_RATIO) > 0
        ? newestPerson - (newestPerson % HOT_STRIDE) + 1
        : this.#recent(newestPerson, ACTIVE_PERSONS)
    const price = numbers.price()
    const known =
      numbers.below(2) > 0
        ? numbers.below(HOT_CHANNELS.length)
        : HOT_CHANNELS.length + numbers.below(CHANNELS)
    const { channel, url } = this.#channels[known] as { channel: string; url: string }
    const extra = this.#extra(32 + channel.length + url.length, BID_BYTES)
    return bidEvent({
      auction: FIRST_ID + auction,
      bidder: FIRST_ID + bidder,
      price,
      channel,
      url,
      dateTime,
      extra,
    })
  }

  /** One of the newest, or of those that come next. */
  #recent(newest: number, active: number): number {
    const known = Math.min(newest + 1, active)
    return newest + 1 - known + this.#numbers.below(known + IDS_AHEAD)
  }

  #url(): string {
    const part = (): string => this.#numbers.text(3, 5)
    return `https://www.nexmark.com/${part()}/${part()}/${part()}/item.htm?query=1`
  }

  #urlOf(channel: number): string {
    // Bits turned round, so that ids look like no sequence.
    let id = 0
    for (let bit = 0; bit < 31; bit++) id = (id << 1) | ((channel >> bit) & 1)
    return `${this.#url()}&channel_id=${id}`
  }

  /** Text that makes the event as large as its kind is on average, a fifth more or less. */
  #extra(usedBytes: number, averageBytes: number): string {
    const missing = averageBytes - usedBytes
    if (missing <= 0) return ''
    const spread = Math.round(missing / 5)
    return this.#numbers.text(missing - spread, missing + spread)
  }
}
