// Days and hours in UTC, of milliseconds since the epoch.
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Days since the epoch. */
export const dayOf = (time: number): number => Math.floor(time / DAY_MS)

/** `2024-02-29` */
export const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

/** From 0 to 23. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS) % 24

/** Of the day: from 0 to 1439. */
export const minuteOf = (time: number): number => Math.floor(time / MINUTE_MS) % 1440

/** `23:59` */
export const minuteText = (minute: number): string => {
  const [hours, minutes] = [Math.floor(minute / 60), minute % 60]
  return `${hours < 10 ? '0' : ''}${hours}:${minutes < 10 ? '0' : ''}${minutes}`
}
