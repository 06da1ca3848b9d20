import {
  type Collector,
  type KeyedCoProcessFunction,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type ListState,
  ListStateDescriptor,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

interface Offer {
  readonly id: number
  readonly category: number
  readonly dateTime: number
  readonly expires: number
}

interface Price {
  readonly auction: number
  readonly price: number
  readonly dateTime: number
}

/** How the highest price of an auction changes the sum and number of its category. */
interface Change {
  readonly category: number
  readonly price: number
  readonly auctions: 0 | 1
}

interface Average {
  readonly category: number
  readonly final: number
}

/** The highest valid bid of each auction. Bids wait for their auction without a limit, and for nothing else. */
class HighestPrice implements KeyedCoProcessFunction<number, Offer, Price, Change> {
  #offer!: ValueState<Offer & { highest: number | undefined }>
  #early!: ListState<Price>

  open(context: RuntimeContext): void {
    this.#offer = context.getState(new ValueStateDescriptor('offer'))
    this.#early = context.getListState(new ListStateDescriptor<Price>('early bids'))
  }

  processElement1(offer: Offer, _context: KeyedProcessContext<number>, out: Collector<Change>): void {
    let highest: number | undefined
    for (const bid of this.#early.get()) {
      if (isValid(offer, bid)) highest = Math.max(highest ?? 0, bid.price)
    }
    this.#early.clear()
    const { id, category, dateTime, expires } = offer
    this.#offer.update({ id, category, dateTime, expires, highest })
    if (highest !== undefined) out({ category, price: highest, auctions: 1 })
  }

  processElement2(bid: Price, _context: KeyedProcessContext<number>, out: Collector<Change>): void {
    const offer = this.#offer.value()
    if (offer === undefined) {
      this.#early.add(bid)
      return
    }
    const { highest } = offer
    if (!isValid(offer, bid) || (highest !== undefined && bid.price <= highest)) return
    offer.highest = bid.price
    this.#offer.update(offer)
    out({
      category: offer.category,
      price: bid.price - (highest ?? 0),
      auctions: highest === undefined ? 1 : 0,
    })
  }
}

const isValid = (offer: Offer, { dateTime }: Price): boolean =>
  dateTime >= offer.dateTime && dateTime <= offer.expires

/** The average so far with each change. */
class AverageOfCategory implements KeyedProcessFunction<number, Change, Average> {
  #total!: ValueState<{ sum: number; auctions: number }>

  open(context: RuntimeContext): void {
    this.#total = context.getState(new ValueStateDescriptor('total'))
  }

  processElement(change: Change, _context: KeyedProcessContext<number>, out: Collector<Average>): void {
    const total = this.#total.value() ?? { sum: 0, auctions: 0 }
    total.sum += change.price
    total.auctions += change.auctions
    this.#total.update(total)
    // Whole numbers, cut towards zero: a quotient of floating point could be rounded up.
    const final = (total.sum - (total.sum % total.auctions)) / total.auctions
    out({ category: change.category, final })
  }
}

/** What auctions of each category bring on average. */
export const q4: Query<Average> = {
  name: 'q4',
  about: 'average of the highest bids in each category',
  build: ({ auctions, bids, parallelism }: NexmarkInput) => {
    const offers = auctions
      .map(({ id, category, dateTime, expires }): Offer => ({ id, category, dateTime, expires }))
      .setParallelism(parallelism)
    const prices = bids
      .map(({ auction, price, dateTime }): Price => ({ auction, price, dateTime }))
      .setParallelism(parallelism)
    return offers
      .keyBy(offer => offer.id)
      .connect(prices.keyBy(bid => bid.auction))
      .process(new HighestPrice())
      .keyBy(change => change.category)
      .process(new AverageOfCategory())
  },
  key: row => row.category,
}
