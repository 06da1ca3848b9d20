import {
  type Collector,
  type KeyedProcessContext,
  type KeyedProcessFunction,
  type OnTimerContext,
  type RuntimeContext,
  SlidingEventTimeWindows,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'
import type { NexmarkInput, Query } from './query.ts'

interface Count {
  readonly auction: number
  readonly num: number
  /** Of the window. */
  readonly end: number
}

interface HotItem {
  readonly auction: number
  readonly num: number
}

/**
 * Passes on what may still be the most of its window. Windows come one after another, so that this is one number in
 * memory; when it is lost in a failure, more is passed on.
 */
class Leaders {
  #end = Number.NaN
  #most = 0

  filter({ num, end }: Count): boolean {
    if (end !== this.#end) {
      this.#end = end
      this.#most = 0
    }
    if (num < this.#most) return false
    this.#most = num
    return true
  }
}

/** Of all counts of a window those with the most bids, when all are there. */
class MostBids implements KeyedProcessFunction<number, Count, HotItem> {
  #best!: ValueState<{ num: number; auctions: number[] }>

  open(context: RuntimeContext): void {
    this.#best = context.getState(new ValueStateDescriptor('best'))
  }

  processElement({ auction, num, end }: Count, context: KeyedProcessContext<number>): void {
    const best = this.#best.value() ?? { num: 0, auctions: [] }
    if (num < best.num) return
    if (num > best.num) {
      best.num = num
      best.auctions = []
    }
    best.auctions.push(auction)
    this.#best.update(best)
    context.timerService.registerEventTimeTimer(end - 1)
  }

  onTimer(_timestamp: number, _context: OnTimerContext<number>, out: Collector<HotItem>): void {
    const { num, auctions } = this.#best.value() ?? { num: 0, auctions: [] }
    for (const auction of auctions) out({ auction, num })
    this.#best.clear()
  }
}

/** Which auctions had the most bids in the last ten seconds, every two seconds. */
export const q5: Query<HotItem> = {
  name: 'q5',
  about: 'auctions with the most bids in sliding windows',
  build: ({ bids, parallelism }: NexmarkInput) =>
    bids
      .map(bid => bid.auction)
      .setParallelism(parallelism)
      .keyBy(auction => auction)
      .window(SlidingEventTimeWindows.of('10 s', '2 s'))
      .aggregate(
        {
          createAccumulator: () => ({ num: 0 }),
          add: (_auction, count) => {
            count.num++
            return count
          },
          getResult: count => count.num,
          merge: (left, right) => {
            left.num += right.num
            return left
          },
        },
        (auction, window, num): Count => ({ auction, num, end: window.end }),
      )
      .filter(new Leaders())
      .keyBy(count => count.end)
      .process(new MostBids()),
}
