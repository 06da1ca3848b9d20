import { type Duration, durationMs } from '../../functions/duration.ts'
import { TimeWindow } from '../time-window.ts'
import { EventTimeTrigger, ProcessingTimeTrigger } from '../triggers/time-triggers.ts'
import type { Trigger } from '../triggers/trigger.ts'
import { alignedStart, checkedOffsetMs } from './aligned-window.ts'
import type { WindowAssigner, WindowAssignerContext } from './window-assigner.ts'

/** What the two kinds share. */
abstract class SlidingWindows {
  readonly sizeMs: number
  readonly slideMs: number
  readonly offsetMs: number

  protected constructor(what: string, size: Duration, slide: Duration, offset: Duration) {
    this.sizeMs = durationMs(size, what, 1)
    this.slideMs = durationMs(slide, `${what} (slide)`, 1)
    this.offsetMs = checkedOffsetMs(offset, this.slideMs, what, 'slide')
  }

  /** The latest first, as Flink assigns them. None in a gap: the slide may be longer than the size. */
  protected windowsAt(timestamp: number): readonly TimeWindow[] {
    const windows: TimeWindow[] = []
    const latest = alignedStart(timestamp, this.offsetMs, this.slideMs)
    for (let start = latest; start > timestamp - this.sizeMs; start -= this.slideMs) {
      windows.push(new TimeWindow(start, start + this.sizeMs))
    }
    return windows
  }
}

/**
 * Windows of one size, one beginning at each multiple of the slide plus the offset: a record belongs to several.
 * @example SlidingEventTimeWindows.of('10 min', '1 min')
 */
export class SlidingEventTimeWindows extends SlidingWindows implements WindowAssigner<unknown, TimeWindow> {
  readonly isEventTime = true

  /** @throws operators.invalid-duration, operators.invalid-argument unless |offset| < slide */
  static of(size: Duration, slide: Duration, offset: Duration = 0): SlidingEventTimeWindows {
    return new SlidingEventTimeWindows('SlidingEventTimeWindows.of', size, slide, offset)
  }

  assignWindows(_value: unknown, timestamp: number): readonly TimeWindow[] {
    return this.windowsAt(timestamp)
  }

  getDefaultTrigger(): Trigger<unknown, TimeWindow> {
    return EventTimeTrigger.create()
  }
}

/**
 * Sliding windows by the clock of the machine that processes a record.
 * @example SlidingProcessingTimeWindows.of('1 min', '10 s')
 */
export class SlidingProcessingTimeWindows
  extends SlidingWindows
  implements WindowAssigner<unknown, TimeWindow>
{
  readonly isEventTime = false

  /** @throws operators.invalid-duration, operators.invalid-argument unless |offset| < slide */
  static of(size: Duration, slide: Duration, offset: Duration = 0): SlidingProcessingTimeWindows {
    return new SlidingProcessingTimeWindows('SlidingProcessingTimeWindows.of', size, slide, offset)
  }

  assignWindows(_value: unknown, _timestamp: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return this.windowsAt(context.currentProcessingTime())
  }

  getDefaultTrigger(): Trigger<unknown, TimeWindow> {
    return ProcessingTimeTrigger.create()
  }
}
