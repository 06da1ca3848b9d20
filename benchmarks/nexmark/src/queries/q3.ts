import {
  type Collector,
  type KeyedCoProcessFunction,
  type KeyedProcessContext,
  type ListState,
  ListStateDescriptor,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

interface Seller {
  readonly id: number
  readonly name: string
  readonly city: string
  readonly state: string
}

interface Offer {
  readonly id: number
  readonly seller: number
}

interface LocalItem {
  readonly name: string
  readonly city: string
  readonly state: string
  readonly id: number
}

const CATEGORY = 10
const STATES: ReadonlySet<string> = new Set(['OR', 'ID', 'CA'])

/** Joins sellers with their auctions, whichever comes first. Auctions wait for their seller without a limit. */
class LocalItems implements KeyedCoProcessFunction<number, Seller, Offer, LocalItem> {
  #seller!: ValueState<Seller>
  #waiting!: ListState<number>

  open(context: RuntimeContext): void {
    this.#seller = context.getState(new ValueStateDescriptor<Seller>('seller'))
    this.#waiting = context.getListState(new ListStateDescriptor<number>('waiting auctions'))
  }

  processElement1(seller: Seller, _context: KeyedProcessContext<number>, out: Collector<LocalItem>): void {
    this.#seller.update(seller)
    if (isLocal(seller)) for (const id of this.#waiting.get()) out(localItem(seller, id))
    this.#waiting.clear()
  }

  processElement2({ id }: Offer, _context: KeyedProcessContext<number>, out: Collector<LocalItem>): void {
    const seller = this.#seller.value()
    if (seller === undefined) this.#waiting.add(id)
    else if (isLocal(seller)) out(localItem(seller, id))
  }
}

const isLocal = ({ state }: Seller): boolean => STATES.has(state)
const localItem = ({ name, city, state }: Seller, id: number): LocalItem => ({ name, city, state, id })

/** Who sells in some states. Everybody is joined: so it is known which auctions need not wait. */
export const q3: Query<LocalItem> = {
  name: 'q3',
  about: 'sellers in Oregon, Idaho and California with their auctions of category 10',
  build: ({ persons, auctions, parallelism }: NexmarkInput) => {
    const sellers = persons
      .map(({ id, name, city, state }): Seller => ({ id, name, city, state }))
      .setParallelism(parallelism)
    const offers = auctions
      .filter(({ category }) => category === CATEGORY)
      .setParallelism(parallelism)
      .map(({ id, seller }): Offer => ({ id, seller }))
      .setParallelism(parallelism)
    return sellers
      .keyBy(seller => seller.id)
      .connect(offers.keyBy(offer => offer.seller))
      .process(new LocalItems())
  },
}
