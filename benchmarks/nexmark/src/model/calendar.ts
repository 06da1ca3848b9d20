// Days and hours in UTC, of milliseconds since the epoch.
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Days since the epoch. */
export const dayOf = (time: number): number => Math.floor(time / DAY_MS)

/** Days mostly come many times in a row: text of the last one that was asked for. */
let shown = { day: 0, text: '1970-01-01' }

/** `2024-02-29` */
export function dayText(day: number): string {
  if (day !== shown.day) shown = { day, text: new Date(day * DAY_MS).toISOString().slice(0, 10) }
  return shown.text
}

/** From 0 to 23. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS) % 24

/** Of the day: from 0 to 1439. */
export const minuteOf = (time: number): number => Math.floor(time / MINUTE_MS) % 1440

const twoDigits = (n: number): string => String(n).padStart(2, '0')
const MINUTES = Array.from(
  { length: 1440 },
  (_, i) => `${twoDigits(Math.floor(i / 60))}:${twoDigits(i % 60)}`,
)

/** `23:59`, of a minute of the day. */
export const minuteText = (minute: number): string => MINUTES[minute] as string
