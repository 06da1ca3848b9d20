// How values are written. Each takes numbers as the REST API gives them; -1 and absent ones are a dash.

/** For what is not known. */
const NONE = '–'

const isKnown = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value) && value >= 0

/** `1h 4m`, `12.3 s`, `480 ms`: two units at most. */
export function duration(ms: number | undefined): string {
  if (!isKnown(ms)) return NONE
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const seconds = Math.floor(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  return parts
    .slice(first, first + 2)
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ')
}

/** `1.5 KB`, `12 MB`: powers of 1024. */
export function bytes(value: number | undefined): string {
  if (!isKnown(value)) return NONE
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let [scaled, unit] = [value, 0]
  // What would be rounded to 1024 is 1 of the next unit.
  while (scaled >= 1023.5 && unit < units.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${scaled.toFixed(unit === 0 || scaled >= 99.95 ? 0 : 1).replace(/\.0$/, '')} ${units[unit]}`
}

/** `1,234,567`. */
export function count(value: number | undefined): string {
  return isKnown(value) ? Math.round(value).toLocaleString('en-US') : NONE
}

/** `980`, `12.3k`, `4.5M`: for rates, where the first digits matter. */
export function short(value: number | undefined): string {
  if (!isKnown(value)) return NONE
  const units = ['', 'k', 'M', 'G', 'T']
  let [scaled, unit] = [value, 0]
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  const digits = scaled >= 99.95 || (unit === 0 && Number.isInteger(scaled)) ? 0 : 1
  return `${scaled.toFixed(digits).replace(/\.0$/, '')}${units[unit]}`
}

/** A share of 0 to 1 as whole percent. */
export function percent(share: number | undefined): string {
  return isKnown(share) ? `${Math.round(share * 100)} %` : NONE
}

/** Local date and time with seconds. */
export function time(ms: number | undefined): string {
  if (!isKnown(ms) || ms === 0) return NONE
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

const NO_WATERMARK = '-9223372036854775808'
const END_OF_INPUT = '9223372036854775807'

/** A watermark as the API gives it, which is a 64-bit number as text. */
export function watermark(value: string | undefined): string {
  if (value === undefined || value === NO_WATERMARK) return 'none yet'
  if (value === END_OF_INPUT) return 'end of input'
  const ms = Number(value)
  return ms >= 0 && ms < 8.64e15
    ? new Date(ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z/, 'Z')
    : value
}

/** The least of several watermarks: what the vertex as a whole has. undefined: there is none. */
export function leastWatermark(values: readonly (string | undefined)[]): string | undefined {
  const known = values
    .filter(value => value !== undefined && /^-?\d+$/.test(value))
    .map(value => BigInt(value ?? 0))
  // Of these numbers there is no Math.min.
  return known.toSorted((a, b) => (a < b ? -1 : 1))[0]?.toString()
}
