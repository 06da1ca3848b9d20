import { type Duration, durationMs } from '../../functions/duration.ts'
import { TimeWindow } from '../time-window.ts'
import { EventTimeTrigger, ProcessingTimeTrigger } from '../triggers/time-triggers.ts'
import type { Trigger } from '../triggers/trigger.ts'
import {
  alignedStart,
  checkedOffsetMs,
  checkedStagger,
  staggerOffsetMs,
  type WindowStagger,
} from './aligned-window.ts'
import type { WindowAssigner, WindowAssignerContext } from './window-assigner.ts'

/** What the two kinds share. */
abstract class TumblingWindows {
  readonly sizeMs: number
  readonly offsetMs: number
  readonly stagger: WindowStagger
  #staggerMs: number | undefined
  /** The window assigned last: records of the same one are frequent. */
  #last: readonly TimeWindow[] = []

  protected constructor(what: string, size: Duration, offset: Duration, stagger: WindowStagger) {
    this.sizeMs = durationMs(size, what, 1)
    this.offsetMs = checkedOffsetMs(offset, this.sizeMs, what, 'size')
    this.stagger = checkedStagger(stagger, what)
  }

  protected windowsAt(timestamp: number, context: WindowAssignerContext): readonly TimeWindow[] {
    const last = this.#last[0]
    if (last !== undefined && timestamp >= last.start && timestamp < last.end) return this.#last
    this.#staggerMs ??= staggerOffsetMs(this.stagger, context.currentProcessingTime(), this.sizeMs)
    const start = alignedStart(timestamp, (this.offsetMs + this.#staggerMs) % this.sizeMs, this.sizeMs)
    this.#last = [new TimeWindow(start, start + this.sizeMs)]
    return this.#last
  }
}

/**
 * Windows of one size that follow each other without gap: [start, start + size), starts at multiples of the size plus
 * the offset, in UTC, also before 1970.
 * @example TumblingEventTimeWindows.of('1 d')
 */
export class TumblingEventTimeWindows extends TumblingWindows implements WindowAssigner<unknown, TimeWindow> {
  readonly isEventTime = true

  /**
   * @param offset shifts the starts, for example `'-8 h'` for days that begin at midnight in China
   * @throws operators.invalid-duration, operators.invalid-argument unless |offset| < size
   */
  static of(size: Duration, offset: Duration = 0, stagger: WindowStagger = 'ALIGNED') {
    return new TumblingEventTimeWindows('TumblingEventTimeWindows.of', size, offset, stagger)
  }

  assignWindows(_value: unknown, timestamp: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return this.windowsAt(timestamp, context)
  }

  getDefaultTrigger(): Trigger<unknown, TimeWindow> {
    return EventTimeTrigger.create()
  }
}

/**
 * Windows of one size by the clock of the machine that processes a record.
 * @example TumblingProcessingTimeWindows.of('10 s')
 */
export class TumblingProcessingTimeWindows
  extends TumblingWindows
  implements WindowAssigner<unknown, TimeWindow>
{
  readonly isEventTime = false

  /** @throws operators.invalid-duration, operators.invalid-argument unless |offset| < size */
  static of(size: Duration, offset: Duration = 0, stagger: WindowStagger = 'ALIGNED') {
    return new TumblingProcessingTimeWindows('TumblingProcessingTimeWindows.of', size, offset, stagger)
  }

  assignWindows(_value: unknown, _timestamp: number, context: WindowAssignerContext): readonly TimeWindow[] {
    return this.windowsAt(context.currentProcessingTime(), context)
  }

  getDefaultTrigger(): Trigger<unknown, TimeWindow> {
    return ProcessingTimeTrigger.create()
  }
}
