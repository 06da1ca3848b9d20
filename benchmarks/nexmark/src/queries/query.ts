import type { DataStream, Sink } from 'flink-ts'
import type { Auction, Bid, Event, Person } from '../model/events.ts'

/**
 * What a query reads: one stream of events with event time, and its parts. Watermarks are those of the whole stream.
 */
export interface NexmarkInput {
  /** All events in the order of their arrival. */
  readonly events: DataStream<Event>
  readonly persons: DataStream<Person>
  readonly auctions: DataStream<Auction>
  readonly bids: DataStream<Bid>
  /**
   * Of the source. Steps in front of the first `keyBy` that set the same are part of its task, so that what is late, and
   * which of two bids came first, stays what it was at the source.
   */
  readonly parallelism: number
  /** Texts by key that q13 joins. */
  readonly sideInput: ReadonlyMap<number, string>
}

/** A row of a result: plain fields, in the order in which they are written. */
export type Row = object

/** One of the queries. */
export interface Query<R extends Row = Row> {
  /** `q5` */
  readonly name: string
  /** What it computes, in a line. */
  readonly about: string
  build(input: NexmarkInput): DataStream<R>
  /**
   * Given if the query corrects rows that it has emitted: a row replaces the one before it with the same key. Otherwise
   * all rows count.
   */
  readonly key?: (row: R) => string | number
  /** Given if the query itself writes its result, into a folder. */
  readonly sink?: (folder: string) => Sink<R>
}
