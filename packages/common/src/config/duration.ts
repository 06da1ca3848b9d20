import { parseDuration } from './option.ts'

/** A span of time: `'10 s'`, a number of milliseconds, or `{ minutes: 1, seconds: 30 }`. */
export type Duration =
  | string
  | number
  | {
      readonly days?: number
      readonly hours?: number
      readonly minutes?: number
      readonly seconds?: number
      readonly milliseconds?: number
    }

const UNIT_MS: Readonly<Record<string, number>> = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
  milliseconds: 1,
}

/** Milliseconds of a duration, which may be negative or no whole number; undefined if it is no duration. */
export function durationToMs(duration: Duration): number | undefined {
  if (typeof duration === 'number') return duration
  if (typeof duration === 'string') {
    const negative = duration.trimStart().startsWith('-')
    const ms = parseDuration(negative ? duration.trimStart().slice(1) : duration)
    return negative && ms !== undefined ? -ms : ms
  }
  if (typeof duration !== 'object' || duration === null) return undefined
  let sum = 0
  for (const [unit, amount] of Object.entries(duration)) {
    const size = UNIT_MS[unit]
    if (size === undefined || typeof amount !== 'number') return undefined
    sum += amount * size
  }
  return sum
}
