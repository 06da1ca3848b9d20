import { InvalidArgument } from '../errors.ts'
import { type Duration, durationMs } from '../functions/duration.ts'

/**
 * Windows of one size that follow each other without gap: [start, start + size), starts at multiples of the size plus
 * the offset, in UTC, also before 1970.
 * @example TumblingEventTimeWindows.of('1 d')
 */
export class TumblingEventTimeWindows {
  readonly sizeMs: number
  readonly offsetMs: number

  private constructor(sizeMs: number, offsetMs: number) {
    this.sizeMs = sizeMs
    this.offsetMs = offsetMs
  }

  /**
   * @param offset shifts the starts, for example `'-8 h'` for days that begin at midnight in China
   * @throws operators.invalid-duration, operators.invalid-argument unless |offset| < size
   */
  static of(size: Duration, offset: Duration = 0): TumblingEventTimeWindows {
    const what = 'TumblingEventTimeWindows.of'
    const sizeMs = durationMs(size, what, 1)
    const offsetMs = durationMs(offset, `${what} (offset)`, -Number.MAX_SAFE_INTEGER)
    if (Math.abs(offsetMs) >= sizeMs) {
      throw InvalidArgument({
        what: `${what} (offset)`,
        value: `${offsetMs} ms`,
        expected: `less than the size of ${sizeMs} ms, in either direction`,
      })
    }
    return new TumblingEventTimeWindows(sizeMs, offsetMs)
  }

  /** Start of the window that holds `timestamp`. */
  windowStart(timestamp: number): number {
    const remainder = (timestamp - this.offsetMs) % this.sizeMs
    return timestamp - (remainder < 0 ? remainder + this.sizeMs : remainder)
  }
}
