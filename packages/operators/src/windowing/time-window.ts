import { MAX_WATERMARK } from '../contract/stream-operator.ts'

/** What all windows have in common. */
export interface Window {
  /** The last time that belongs to the window: it is complete when the watermark reaches it, and its results carry it. */
  maxTimestamp(): number
}

/** A window of time: milliseconds, half open: `start <= timestamp < end`. */
export class TimeWindow implements Window {
  readonly start: number
  readonly end: number

  constructor(start: number, end: number) {
    this.start = start
    this.end = end
  }

  maxTimestamp(): number {
    return this.end - 1
  }

  /** Whether the windows have time in common or touch each other. */
  intersects(other: TimeWindow): boolean {
    return this.start <= other.end && this.end >= other.start
  }

  /** The smallest window that contains both. */
  cover(other: TimeWindow): TimeWindow {
    return new TimeWindow(Math.min(this.start, other.start), Math.max(this.end, other.end))
  }
}

/** The one window of `GlobalWindows`: never complete before the end of the input. */
export class GlobalWindow implements Window {
  static readonly #instance = new GlobalWindow()

  static get(): GlobalWindow {
    return GlobalWindow.#instance
  }

  maxTimestamp(): number {
    return MAX_WATERMARK
  }
}

/** How windows are written into state: needed for windows that are neither {@link TimeWindow} nor {@link GlobalWindow}. */
export interface WindowSerializer<W> {
  /** Equal windows, and only they, give the same text or number. */
  serialize(window: W): string | number
  deserialize(stored: string | number): W
}

/** Windows are stored as `start,end`. */
export const timeWindowSerializer: WindowSerializer<TimeWindow> = {
  serialize: window => `${window.start},${window.end}`,
  deserialize: stored => {
    const text = String(stored)
    const comma = text.indexOf(',')
    return new TimeWindow(Number(text.slice(0, comma)), Number(text.slice(comma + 1)))
  },
}

/** There is only one. */
export const globalWindowSerializer: WindowSerializer<GlobalWindow> = {
  serialize: () => 0,
  deserialize: () => GlobalWindow.get(),
}
