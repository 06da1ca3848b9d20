import { inspect } from 'node:util'
import { isFlinkError } from '@flink-ts/common'
import { foldFrames, userFrameOf } from '@flink-ts/jobgraph'

/** `3.2 s`, `2 min 5 s`, `1 h 2 min`. */
export function formatElapsed(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** 1,234,567 whatever the locale of the machine. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `2001-06-04 05:06:07` in the time zone of the machine. */
export function formatTime(epochMs: number): string {
  const time = new Date(epochMs)
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${timeOfDay(time)}`
}

/** `04.06.2001 05:06:07` in the time zone of the machine, as Flink's command line writes times. */
export function formatFlinkTime(epochMs: number): string {
  const time = new Date(epochMs)
  return `${two(time.getDate())}.${two(time.getMonth() + 1)}.${time.getFullYear()} ${timeOfDay(time)}`
}

/** `05:06:07` in the time zone of the machine. */
export function formatTimeOfDay(epochMs: number): string {
  return timeOfDay(new Date(epochMs))
}

const two = (value: number): string => String(value).padStart(2, '0')
const timeOfDay = (time: Date): string =>
  `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`

/** Columns as wide as their widest cell; the last one is not filled up. */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  return rows.map(row =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  )
}

/**
 * An error for people: errors of the user's code with their stack, ours as text with the line of the user's code, if
 * there is one, since they say what to change. Causes follow.
 */
export function formatError(error: unknown): string {
  const parts: string[] = []
  let current: unknown = error
  // Programs can throw undefined, too.
  for (let depth = 0; depth < 10 && (depth === 0 || (current !== undefined && current !== null)); depth++) {
    const text = describe(current)
    // Errors that wrap another one often repeat its message.
    const repeated =
      parts.at(-1) === text || (isFlinkError(current) && parts.at(-1)?.includes(current.message))
    if (!repeated) parts.push(text)
    current = current instanceof Error ? current.cause : undefined
  }
  return parts.join('\nCaused by: ')
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : `${inspect(error)} was thrown`
  if (!isFlinkError(error)) return foldFrames(error.stack ?? `${error.name}: ${error.message}`)
  const line = userFrameOf(error.stack ?? '')
  return `${error.message} [${error.code}]${line === undefined ? '' : `\n    at ${line}`}`
}
