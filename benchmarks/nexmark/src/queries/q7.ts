import {
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type OnTimerContext,
  type ProcessContext,
  type ProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

const WINDOW_MS = 10_000

/** A bid beside a window: within it, or exactly at its end. */
interface Candidate {
  /** Of the window. */
  readonly end: number
  readonly auction: number
  readonly price: number
  readonly bidder: number
  readonly dateTime: number
  readonly extra: string
}

type HighestBid = Omit<Candidate, 'end'>

/**
 * Passes on the bids that may still be the highest of their window. What is dropped was outbid in the same window by one
 * that counts; the prices are in memory only: when they are lost in a failure, more is passed on.
 */
class Candidates implements ProcessFunction<HighestBid, Candidate> {
  readonly #highest = new Map<number, number>()

  processElement(bid: HighestBid, context: ProcessContext, out: Collector<Candidate>): void {
    const { auction, price, bidder, dateTime, extra } = bid
    const end = dateTime - (dateTime % WINDOW_MS) + WINDOW_MS
    // A late bid may be as high as the highest that counts.
    const highest = this.#highest.get(end)
    if (highest === undefined || price >= highest) {
      if (highest !== price && end - 1 > context.timerService.currentWatermark())
        this.#setHighest(end, price, context)
      out({ end, auction, price, bidder, dateTime, extra })
    }
    if (dateTime === end - WINDOW_MS) out({ end: dateTime, auction, price, bidder, dateTime, extra })
  }

  #setHighest(end: number, price: number, context: ProcessContext): void {
    if (!this.#highest.has(end)) {
      for (const old of this.#highest.keys()) {
        if (old - 1 <= context.timerService.currentWatermark()) this.#highest.delete(old)
      }
    }
    this.#highest.set(end, price)
  }
}

interface Window {
  /** Of bids within the window that are not late; undefined: there is none. */
  highest: number | undefined
  /** Those with the highest price so far, and any at the end of the window that are as high or higher. */
  bids: HighestBid[]
}

/**
 * The bids of a window with its highest price. Late ones do not change the price, but those that have it come, whenever
 * they do: so the price of a window that is over is kept.
 */
class HighestBids implements KeyedProcessFunction<number, Candidate, HighestBid> {
  #window!: ValueState<Window>
  #closed!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#window = context.getState(new ValueStateDescriptor<Window>('window'))
    this.#closed = context.getState(new ValueStateDescriptor<number>('price of closed window'))
  }

  processElement(
    candidate: Candidate,
    context: KeyedProcessContext<number>,
    out: Collector<HighestBid>,
  ): void {
    const { end, auction, price, bidder, dateTime, extra } = candidate
    const bid: HighestBid = { auction, price, bidder, dateTime, extra }
    if (end - 1 <= context.timerService.currentWatermark()) {
      if (this.#closed.value() === price) out(bid)
      return
    }
    const window = this.#window.value() ?? { highest: undefined, bids: [] }
    if (window.highest !== undefined && price < window.highest) return
    if (dateTime < end && price !== window.highest) {
      window.highest = price
      window.bids = window.bids.filter(other => other.price >= price)
    }
    window.bids.push(bid)
    this.#window.update(window)
    context.timerService.registerEventTimeTimer(end - 1)
  }

  onTimer(_timestamp: number, _context: OnTimerContext<number>, out: Collector<HighestBid>): void {
    const { highest, bids } = this.#window.value() ?? { highest: undefined, bids: [] }
    this.#window.clear()
    if (highest === undefined) return
    for (const bid of bids) if (bid.price === highest) out(bid)
    this.#closed.update(highest)
  }
}

/** The highest bids of each ten seconds. */
export const q7: Query<HighestBid> = {
  name: 'q7',
  about: 'bids with the highest price of their window',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .process(new Candidates())
      .setParallelism(parallelism)
      .keyBy(candidate => candidate.end)
      .process(new HighestBids()),
}
