import { pino } from 'pino'
import { serializeError } from '../errors/serialized-error.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Structured logging: constant message, values as fields; `jobId`, `attemptId`, `checkpointId` always under these
 * names. error: something was lost or needs a person; warn: a fault that was handled; info: life-cycle events an
 * operator wants to read; debug: everything else.
 */
export interface Logger {
  error(fields: Fields, message: string): void
  warn(fields: Fields, message: string): void
  info(fields: Fields, message: string): void
  debug(fields: Fields, message: string): void
  /** A logger that adds `fields` (`component` among them) to every line. */
  child(fields: Fields): Logger
}

/** Where and how much to log. */
export interface LoggerOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  /** File to append to, or file descriptor 1 or 2; standard output if absent. */
  readonly file?: string | 1 | 2
}

/** A pino logger: one JSON line an event, ISO time, errors with stack and causes. Writes synchronously. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: errorFields, cause: errorFields },
      formatters: { level: label => ({ level: label }) },
    },
    pino.destination({ dest: options.file ?? 1, sync: true, mkdir: true }),
  )
}

/** What is logged of an error. User code can throw what no serializer takes: logging must not fail at it. */
function errorFields(error: unknown): unknown {
  try {
    const fields = pino.stdSerializers.errWithCause(error as Error)
    JSON.stringify(fields)
    return fields
  } catch {
    return serializeError(error)
  }
}

/** Drops everything. */
export const nullLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => nullLogger,
}
