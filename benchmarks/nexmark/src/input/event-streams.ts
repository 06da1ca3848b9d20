import type { DataStream } from 'flink-ts'
import type { Auction, Bid, Event, Person } from '../model/events.ts'
import type { NexmarkInput } from '../queries/query.ts'

/**
 * The parts of a stream of events, each in the task of the source, and each made when a query first asks for it: what
 * nobody reads costs nothing.
 */
export class EventStreams implements NexmarkInput {
  readonly events: DataStream<Event>
  readonly parallelism: number
  readonly sideInput: ReadonlyMap<number, string>
  #persons: DataStream<Person> | undefined
  #auctions: DataStream<Auction> | undefined
  #bids: DataStream<Bid> | undefined

  /** @param parallelism of the source */
  constructor(events: DataStream<Event>, parallelism: number, sideInput: ReadonlyMap<number, string>) {
    this.events = events
    this.parallelism = parallelism
    this.sideInput = sideInput
  }

  get persons(): DataStream<Person> {
    this.#persons ??= this.events
      .flatMap<Person>(({ person }, out) => {
        if (person !== undefined) out(person)
      })
      .name('persons')
      .setParallelism(this.parallelism)
    return this.#persons
  }

  get auctions(): DataStream<Auction> {
    this.#auctions ??= this.events
      .flatMap<Auction>(({ auction }, out) => {
        if (auction !== undefined) out(auction)
      })
      .name('auctions')
      .setParallelism(this.parallelism)
    return this.#auctions
  }

  get bids(): DataStream<Bid> {
    this.#bids ??= this.events
      .flatMap<Bid>(({ bid }, out) => {
        if (bid !== undefined) out(bid)
      })
      .name('bids')
      .setParallelism(this.parallelism)
    return this.#bids
  }
}
