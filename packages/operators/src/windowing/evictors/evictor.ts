import type { Window } from '../time-window.ts'

/** A record in a window with an evictor. */
export interface TimestampedValue<T> {
  readonly value: T
  /** NaN for none. */
  readonly timestamp: number
}

/** Surroundings of an evictor. */
export interface EvictorContext {
  currentWatermark(): number
  currentProcessingTime(): number
}

/**
 * Removes records from a window that fires, before or after the window function sees it. With an evictor, a window keeps
 * all its records. What is removed is gone for later firings too.
 */
export interface Evictor<T, W extends Window> {
  /** @returns the records that remain, in order */
  evictBefore(
    elements: readonly TimestampedValue<T>[],
    window: W,
    context: EvictorContext,
  ): readonly TimestampedValue<T>[]
  /** @returns the records that remain, in order */
  evictAfter(
    elements: readonly TimestampedValue<T>[],
    window: W,
    context: EvictorContext,
  ): readonly TimestampedValue<T>[]
}
