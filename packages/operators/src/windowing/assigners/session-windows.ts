import { InvalidSessionGap } from '../../errors.ts'
import { type Duration, durationMs } from '../../functions/duration.ts'
import { describeValue } from '../../functions/user-function-failure.ts'
import { TimeWindow } from '../time-window.ts'
import { EventTimeTrigger, ProcessingTimeTrigger } from '../triggers/time-triggers.ts'
import type { Trigger } from '../triggers/trigger.ts'
import type { MergingWindowAssigner, WindowAssignerContext } from './window-assigner.ts'

/** Gap after a record, in milliseconds, more than 0. */
export type SessionWindowTimeGapExtractor<T> = ((value: T) => number) | { extract(value: T): number }

/** Merges windows that overlap or touch. */
function mergeIntersecting(
  windows: readonly TimeWindow[],
  merge: (merged: readonly TimeWindow[], result: TimeWindow) => void,
): void {
  const sorted = [...windows].sort((a, b) => a.start - b.start)
  let merged: TimeWindow[] = []
  let cover: TimeWindow | undefined
  const flush = (): void => {
    if (cover !== undefined && merged.length > 1) merge(merged, cover)
  }
  for (const window of sorted) {
    if (cover?.intersects(window)) {
      merged.push(window)
      cover = cover.cover(window)
    } else {
      flush()
      merged = [window]
      cover = window
    }
  }
  flush()
}

/** What all kinds share. */
abstract class SessionWindows<T> {
  /** Windows merge exactly if they overlap or touch. */
  readonly isBuiltIn = true
  readonly #gapMs: (value: T) => number

  protected constructor(gapMs: (value: T) => number) {
    this.#gapMs = gapMs
  }

  protected windowAt(value: T, timestamp: number): readonly TimeWindow[] {
    return [new TimeWindow(timestamp, timestamp + this.#gapMs(value))]
  }

  mergeWindows(
    windows: readonly TimeWindow[],
    merge: (merged: readonly TimeWindow[], result: TimeWindow) => void,
  ): void {
    mergeIntersecting(windows, merge)
  }
}

const fixedGap = (gap: Duration, what: string): (() => number) => {
  const gapMs = durationMs(gap, what, 1)
  return () => gapMs
}

const dynamicGap = <T>(extractor: SessionWindowTimeGapExtractor<T>): ((value: T) => number) => {
  const extract = typeof extractor === 'function' ? extractor : (value: T) => extractor.extract(value)
  return value => {
    const gapMs = extract(value)
    if (Number.isFinite(gapMs) && gapMs > 0) return gapMs
    throw InvalidSessionGap({ gap: describeValue(gapMs), record: `record ${describeValue(value)}` })
  }
}

/**
 * Sessions in event time: a window lasts until no record of its key has come for the gap. Records exactly one gap apart
 * are in one session.
 * @example EventTimeSessionWindows.withGap('30 min')
 */
export class EventTimeSessionWindows<T = unknown>
  extends SessionWindows<T>
  implements MergingWindowAssigner<T>
{
  readonly isEventTime = true

  /** @throws operators.invalid-duration */
  static withGap(gap: Duration): EventTimeSessionWindows {
    return new EventTimeSessionWindows(fixedGap(gap, 'EventTimeSessionWindows.withGap'))
  }

  /** A gap for each record. @example EventTimeSessionWindows.withDynamicGap((click: Click) => click.timeoutMs) */
  static withDynamicGap<T>(extractor: SessionWindowTimeGapExtractor<T>): EventTimeSessionWindows<T> {
    return new EventTimeSessionWindows<T>(dynamicGap(extractor))
  }

  assignWindows(value: T, timestamp: number): readonly TimeWindow[] {
    return this.windowAt(value, timestamp)
  }

  getDefaultTrigger(): Trigger<T, TimeWindow> {
    return EventTimeTrigger.create()
  }
}

/**
 * Sessions by the clock of the machine that processes the records.
 * @example ProcessingTimeSessionWindows.withGap('30 s')
 */
export class ProcessingTimeSessionWindows<T = unknown>
  extends SessionWindows<T>
  implements MergingWindowAssigner<T>
{
  readonly isEventTime = false

  /** @throws operators.invalid-duration */
  static withGap(gap: Duration): ProcessingTimeSessionWindows {
    return new ProcessingTimeSessionWindows(fixedGap(gap, 'ProcessingTimeSessionWindows.withGap'))
  }

  /** A gap for each record. */
  static withDynamicGap<T>(extractor: SessionWindowTimeGapExtractor<T>): ProcessingTimeSessionWindows<T> {
    return new ProcessingTimeSessionWindows<T>(dynamicGap(extractor))
  }

  assignWindows(value: T, _timestamp: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return this.windowAt(value, context.currentProcessingTime())
  }

  getDefaultTrigger(): Trigger<T, TimeWindow> {
    return ProcessingTimeTrigger.create()
  }
}
