import {
  type Duration,
  durationMs,
  intervalJoinOperator,
  type KeySelector,
  type OutputTag,
  type ProcessJoinFunction,
} from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'
import type { AddTwoInputOperator } from './connected-streams.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

interface JoinedStreams<A, B, K> {
  readonly add: AddTwoInputOperator
  readonly keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>]
}

/** An interval join without its interval yet: {@link IntervalJoin.between} gives it. */
export class IntervalJoin<A, B, K> {
  readonly #streams: JoinedStreams<A, B, K>

  /** Made by `intervalJoin`. */
  constructor(add: AddTwoInputOperator, keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>]) {
    this.#streams = { add, keySelectors }
  }

  /**
   * Pairs whose right record is at least `lower` and at most `upper` later than the left one; negative: earlier. Both
   * ends are included.
   * @example .between('-5 minutes', '0 ms')
   */
  between(lower: Duration, upper: Duration): BoundedIntervalJoin<A, B, K> {
    const lowerMs = durationMs(lower, 'intervalJoin(...).between', Number.MIN_SAFE_INTEGER)
    const upperMs = durationMs(upper, 'intervalJoin(...).between', Number.MIN_SAFE_INTEGER)
    if (lowerMs > upperMs) {
      throw InvalidArgument({
        call: 'intervalJoin(...).between',
        value: `${lowerMs} ms to ${upperMs} ms`,
        expected: 'a lower bound that is not above the upper bound',
      })
    }
    return new BoundedIntervalJoin(this.#streams, lowerMs, upperMs)
  }
}

/** An interval join with its interval: {@link BoundedIntervalJoin.process} makes the results. */
export class BoundedIntervalJoin<A, B, K> {
  readonly #streams: JoinedStreams<A, B, K>
  #lowerMs: number
  #upperMs: number
  #leftLate: OutputTag<A> | undefined
  #rightLate: OutputTag<B> | undefined
  #exclusive = { lower: false, upper: false }

  constructor(streams: JoinedStreams<A, B, K>, lowerMs: number, upperMs: number) {
    this.#streams = streams
    this.#lowerMs = lowerMs
    this.#upperMs = upperMs
  }

  /** Leaves out pairs that are exactly the lower bound apart. */
  lowerBoundExclusive(): this {
    if (!this.#exclusive.lower) this.#lowerMs++
    this.#exclusive.lower = true
    return this
  }

  /** Leaves out pairs that are exactly the upper bound apart. */
  upperBoundExclusive(): this {
    if (!this.#exclusive.upper) this.#upperMs--
    this.#exclusive.upper = true
    return this
  }

  /** Where left records go that come with a time before the watermark; otherwise they are dropped. */
  sideOutputLeftLateData(tag: OutputTag<A>): this {
    this.#leftLate = tag
    return this
  }

  /** Where right records go that come with a time before the watermark; otherwise they are dropped. */
  sideOutputRightLateData(tag: OutputTag<B>): this {
    this.#rightLate = tag
    return this
  }

  /**
   * Makes the results: a function gives one for each pair, an object with `processElement` any number.
   * @example orders.intervalJoin(payments).between('0 s', '1 h').process((order, payment) => ({ ...order, ...payment }))
   */
  process<R>(joinFunction: ProcessJoinFunction<A, B, R>): SingleOutputStreamOperator<R> {
    requireFunction('intervalJoin(...).process', 'processElement', joinFunction)
    const factory = intervalJoinOperator<A, B, K>({
      keySelectors: this.#streams.keySelectors,
      lowerMs: this.#lowerMs,
      upperMs: this.#upperMs,
      join: joinFunction,
      lateTags: [this.#leftLate?.id, this.#rightLate?.id],
    })
    return this.#streams.add<R>(
      'intervalJoin(...).process',
      'Interval Join',
      factory,
      this.#streams.keySelectors,
    )
  }
}
