import { InvalidArgument } from '../../errors.ts'
import { type Duration, durationMs } from '../../functions/duration.ts'

/**
 * When the windows of one subtask begin: `ALIGNED` all at the same time; `RANDOM` shifted by a random part of the size,
 * `NATURAL` by the time at which the first record came, both so that not all subtasks emit at once.
 */
export type WindowStagger = 'ALIGNED' | 'RANDOM' | 'NATURAL'
/** Flink's way to write them. */
export const WindowStagger = { ALIGNED: 'ALIGNED', RANDOM: 'RANDOM', NATURAL: 'NATURAL' } as const

/** Start of the window of `slideMs` that holds `timestamp`: rounded down, also before 1970. */
export function alignedStart(timestamp: number, offsetMs: number, slideMs: number): number {
  const remainder = (timestamp - offsetMs) % slideMs
  return timestamp - (remainder < 0 ? remainder + slideMs : remainder)
}

/** How far the windows of a subtask are shifted. */
export function staggerOffsetMs(stagger: WindowStagger, now: number, sizeMs: number): number {
  if (stagger === 'RANDOM') return Math.floor(Math.random() * sizeMs)
  return stagger === 'NATURAL' ? now - alignedStart(now, 0, sizeMs) : 0
}

/** @throws operators.invalid-argument unless it is one of the three */
export function checkedStagger(stagger: WindowStagger, what: string): WindowStagger {
  if (Object.hasOwn(WindowStagger, stagger)) return stagger
  throw InvalidArgument({
    what: `${what} (stagger)`,
    value: String(stagger),
    expected: Object.keys(WindowStagger).join(', '),
  })
}

/** @throws operators.invalid-duration, operators.invalid-argument unless |offset| < slide */
export function checkedOffsetMs(offset: Duration, slideMs: number, what: string, slideName: string): number {
  const offsetMs = durationMs(offset, `${what} (offset)`, -Number.MAX_SAFE_INTEGER)
  if (Math.abs(offsetMs) < slideMs) return offsetMs
  throw InvalidArgument({
    what: `${what} (offset)`,
    value: `${offsetMs} ms`,
    expected: `less than the ${slideName} of ${slideMs} ms, in either direction`,
  })
}
