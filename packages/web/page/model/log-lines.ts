/** One line of a log. Without `message` it is no JSON of ours, and `raw` is all there is. */
export interface LogLine {
  readonly number: number
  readonly raw: string
  readonly time?: string
  readonly level?: 'debug' | 'info' | 'warn' | 'error'
  readonly message?: string
  readonly fields?: string
}

const LEVELS = [
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
] as const

/** The lines of a log, newest last. */
export function logLines(text: string): readonly LogLine[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((raw, number) => ({ number, raw, ...parsed(raw) }))
}

function parsed(raw: string): Partial<LogLine> {
  if (!raw.startsWith('{')) return {}
  let line: Record<string, unknown>
  try {
    line = JSON.parse(raw) as Record<string, unknown>
  } catch {
    return {} // A program may print what it likes.
  }
  const { time, level, msg, pid: _pid, hostname: _hostname, ...fields } = line
  if (typeof msg !== 'string') return {}
  return {
    time: timeOf(time),
    level: levelOf(level),
    message: msg,
    fields: Object.entries(fields)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
  }
}

function timeOf(time: unknown): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(11, 23)
}

function levelOf(level: unknown): 'debug' | 'info' | 'warn' | 'error' {
  if (typeof level === 'number') return LEVELS.find(([from]) => level >= from)?.[1] ?? 'debug'
  return level === 'error' || level === 'warn' || level === 'debug' ? level : 'info'
}
