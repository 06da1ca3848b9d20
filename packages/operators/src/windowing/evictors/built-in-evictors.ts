import { InvalidArgument } from '../../errors.ts'
import { type Duration, durationMs } from '../../functions/duration.ts'
import type { Window } from '../time-window.ts'
import { type DeltaFunction, deltaOf } from '../triggers/delta-trigger.ts'
import type { Evictor, TimestampedValue } from './evictor.ts'

type Elements<T> = readonly TimestampedValue<T>[]

/** Evicts before or after the function, without regard to what the records are. */
abstract class OneSidedEvictor {
  readonly #afterFunction: boolean

  constructor(afterFunction: boolean) {
    this.#afterFunction = afterFunction
  }

  protected abstract kept<T>(elements: Elements<T>): Elements<T>

  evictBefore<T>(elements: Elements<T>): Elements<T> {
    return this.#afterFunction ? elements : this.kept(elements)
  }

  evictAfter<T>(elements: Elements<T>): Elements<T> {
    return this.#afterFunction ? this.kept(elements) : elements
  }
}

/** Keeps the last `maxCount` records. @example CountEvictor.of(100) */
export class CountEvictor extends OneSidedEvictor implements Evictor<unknown, Window> {
  readonly #maxCount: number

  private constructor(maxCount: number, afterFunction: boolean) {
    super(afterFunction)
    this.#maxCount = maxCount
  }

  /** @throws operators.invalid-argument unless it is a whole number from 0 on */
  static of(maxCount: number, doEvictAfter = false): CountEvictor {
    if (!Number.isSafeInteger(maxCount) || maxCount < 0) {
      throw InvalidArgument({
        what: 'CountEvictor.of',
        value: String(maxCount),
        expected: 'a whole number from 0 on',
      })
    }
    return new CountEvictor(maxCount, doEvictAfter)
  }

  protected kept<T>(elements: Elements<T>): Elements<T> {
    return elements.length <= this.#maxCount ? elements : elements.slice(elements.length - this.#maxCount)
  }
}

/** Keeps records that are less than `windowSize` older than the newest one. @example TimeEvictor.of('10 s') */
export class TimeEvictor extends OneSidedEvictor implements Evictor<unknown, Window> {
  readonly #sizeMs: number

  private constructor(sizeMs: number, afterFunction: boolean) {
    super(afterFunction)
    this.#sizeMs = sizeMs
  }

  /** @throws operators.invalid-duration */
  static of(windowSize: Duration, doEvictAfter = false): TimeEvictor {
    return new TimeEvictor(durationMs(windowSize, 'TimeEvictor.of'), doEvictAfter)
  }

  protected kept<T>(elements: Elements<T>): Elements<T> {
    let newest = Number.NEGATIVE_INFINITY
    for (const { timestamp } of elements) if (timestamp > newest) newest = timestamp
    // Records without timestamps (NaN) have no age.
    return elements.filter(({ timestamp }) => !(timestamp <= newest - this.#sizeMs))
  }
}

/**
 * Keeps records whose delta to the newest one is below the threshold.
 * @example DeltaEvictor.of(50, (reading: Reading, newest) => Math.abs(newest.value - reading.value))
 */
export class DeltaEvictor<T> implements Evictor<T, Window> {
  readonly #afterFunction: boolean
  readonly #threshold: number
  readonly #delta: (element: T, newest: T) => number

  private constructor(threshold: number, delta: (element: T, newest: T) => number, afterFunction: boolean) {
    this.#afterFunction = afterFunction
    this.#threshold = threshold
    this.#delta = delta
  }

  /** @throws operators.invalid-argument */
  static of<T>(threshold: number, deltaFunction: DeltaFunction<T>, doEvictAfter = false): DeltaEvictor<T> {
    return new DeltaEvictor(threshold, deltaOf('DeltaEvictor.of', threshold, deltaFunction), doEvictAfter)
  }

  evictBefore(elements: Elements<T>): Elements<T> {
    return this.#afterFunction ? elements : this.#kept(elements)
  }

  evictAfter(elements: Elements<T>): Elements<T> {
    return this.#afterFunction ? this.#kept(elements) : elements
  }

  #kept(elements: Elements<T>): Elements<T> {
    const newest = elements.at(-1)
    if (newest === undefined) return elements
    return elements.filter(({ value }) => !(this.#delta(value, newest.value) >= this.#threshold))
  }
}
