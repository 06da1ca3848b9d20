import type { DataStream } from 'flink-ts'
import type { Auction, Bid, Event, Person } from '../model/events.ts'
import type { NexmarkInput } from '../queries/query.ts'

/** The parts of a stream of events, each in the task of the source. @param parallelism of the source */
export function nexmarkInput(
  events: DataStream<Event>,
  parallelism: number,
  sideInput: ReadonlyMap<number, string>,
): NexmarkInput {
  return {
    events,
    parallelism,
    sideInput,
    persons: events
      .flatMap<Person>(({ person }, out) => {
        if (person !== undefined) out(person)
      })
      .name('persons')
      .setParallelism(parallelism),
    auctions: events
      .flatMap<Auction>(({ auction }, out) => {
        if (auction !== undefined) out(auction)
      })
      .name('auctions')
      .setParallelism(parallelism),
    bids: events
      .flatMap<Bid>(({ bid }, out) => {
        if (bid !== undefined) out(bid)
      })
      .name('bids')
      .setParallelism(parallelism),
  }
}
