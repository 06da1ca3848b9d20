import type { Logger } from '@flink-ts/common'
import type { VirtualTime } from './virtual-time.ts'

/** Writes what is logged as lines with the virtual time and the process. */
export function traceLogger(process: string, time: VirtualTime, write: (line: string) => void): Logger {
  const line =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const text = Object.entries(fields)
        .filter(([name]) => name !== 'component')
        .map(([name, value]) => `${name}=${show(value)}`)
        .join(' ')
      write(
        `${time.nowMs.toFixed(0).padStart(7)} ${process.padEnd(10)} ${level} ${message} ${text}`.trimEnd(),
      )
    }
  const logger: Logger = {
    error: line('E'),
    warn: line('W'),
    info: line('I'),
    debug: line('D'),
    child: () => logger,
  }
  return logger
}

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message)
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message)
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}
