import { connect, type Socket } from 'node:net'
import { InvalidArgument, SocketFailed } from '../errors.ts'
import { type Duration, durationMs } from '../functions/duration.ts'
import type { ReaderOutput, Source, SourceReader, SourceReaderContext } from './source.ts'

/** Where a {@link SocketTextSource} reads, and what it does when the connection is gone. */
export interface SocketTextOptions {
  readonly host: string
  readonly port: number
  /** What ends a record; a line break by default (`\r\n` counts as one). */
  readonly delimiter?: string
  /** How often a connection that is gone or refused is made again in a row; 0 by default, Infinity: always. */
  readonly maxRetries?: number
  /** Before the first retry; doubles up to `maxRetryDelay`. 100 ms by default. */
  readonly retryDelay?: Duration
  /** 10 s by default. */
  readonly maxRetryDelay?: Duration
}

interface SocketSplit {
  readonly host: string
  readonly port: number
}

/** Records that wait to be emitted, beyond which no more are taken from the socket. */
const MAX_WAITING = 10_000
/** Length of a record beyond which the connection is given up: the delimiter is wrong. */
const MAX_RECORD_CHARACTERS = 64 * 2 ** 20

/**
 * Text records from a TCP server, in one subtask. A server sends nothing twice: what was read after the last checkpoint
 * is lost by a failure. When the server ends the connection and no retry is left, the stream ends.
 * @example env.socketTextStream('localhost', 9999)
 */
export class SocketTextSource implements Source<string, SocketSplit> {
  readonly boundedness = 'unbounded'
  readonly kind = 'socket'
  readonly nonParallel = true
  readonly #options: SocketTextOptions
  readonly #retryDelayMs: number
  readonly #maxRetryDelayMs: number

  /** @throws operators.invalid-argument, operators.invalid-duration */
  constructor(options: SocketTextOptions) {
    const { host, port, delimiter = '\n', maxRetries = 0 } = options
    const refuse = (what: string, value: unknown, expected: string): never => {
      throw InvalidArgument({
        what: `${what} of a socket source`,
        value: JSON.stringify(value) ?? 'undefined',
        expected,
      })
    }
    if (typeof host !== 'string' || host === '') refuse('host', host, 'the name or address of a host')
    if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse('port', port, 'a number from 1 to 65535')
    if (typeof delimiter !== 'string' || delimiter === '') refuse('delimiter', delimiter, 'a text')
    if (!(maxRetries >= 0)) refuse('maxRetries', maxRetries, 'a number from 0, or Infinity')
    this.#options = options
    this.#retryDelayMs = durationMs(options.retryDelay ?? 100, 'retryDelay of a socket source', 1)
    this.#maxRetryDelayMs = durationMs(options.maxRetryDelay ?? 10_000, 'maxRetryDelay of a socket source', 1)
  }

  enumerateSplits(): readonly SocketSplit[] {
    const { host, port } = this.#options
    return [{ host, port }]
  }

  createReader(context: SourceReaderContext): SourceReader<string, SocketSplit> {
    const { delimiter = '\n', maxRetries = 0 } = this.#options
    const retryDelayMs = this.#retryDelayMs
    return new SocketReader(context, {
      ...{ delimiter, maxRetries, retryDelayMs },
      maxRetryDelayMs: this.#maxRetryDelayMs,
    })
  }
}

/** Reads one connection after the other. Owner: one slot thread. */
class SocketReader implements SourceReader<string, SocketSplit> {
  readonly #context: SourceReaderContext
  readonly #options: {
    readonly delimiter: string
    readonly maxRetries: number
    readonly retryDelayMs: number
    readonly maxRetryDelayMs: number
  }
  #split: SocketSplit | undefined
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #records: string[] = []
  #next = 0
  /** Begin of a record whose end has not come. */
  #partial = ''
  #retries = 0
  #ended = false
  /** Closed, or failed: nothing that the socket says counts. */
  #closed = false

  constructor(
    context: SourceReaderContext,
    options: {
      readonly delimiter: string
      readonly maxRetries: number
      readonly retryDelayMs: number
      readonly maxRetryDelayMs: number
    },
  ) {
    this.#context = context
    this.#options = options
  }

  addSplits([split]: readonly SocketSplit[]): void {
    if (split === undefined || this.#split !== undefined) return
    this.#split = split
    this.#connect(split)
  }

  poll(max: number, output: ReaderOutput<string>): 'more' | 'wait' | 'end' {
    if (this.#split === undefined) return 'end'
    const end = Math.min(this.#records.length, this.#next + max)
    while (this.#next < end) output.collect(this.#records[this.#next++] as string)
    if (this.#next < this.#records.length) return 'more'
    this.#records = []
    this.#next = 0
    if (this.#ended) {
      this.#split = undefined
      return 'end'
    }
    this.#socket?.resume()
    return 'wait'
  }

  snapshot(): readonly SocketSplit[] {
    return this.#split === undefined ? [] : [this.#split]
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #connect(split: SocketSplit): void {
    const { host, port } = split
    const socket = connect({ host, port })
    this.#socket = socket
    let failure: Error | undefined
    // Characters may be cut by the border of two packets.
    socket.setEncoding('utf8')
    socket.on('connect', () => {
      this.#retries = 0
      this.#context.logger.info({ host, port }, 'Connected to the socket')
    })
    socket.on('data', (text: string) => this.#take(text))
    socket.on('error', error => {
      failure = error
    })
    socket.on('close', () => this.#gone(split, failure))
  }

  #take(text: string): void {
    const { delimiter } = this.#options
    const parts = (this.#partial + text).split(delimiter)
    this.#partial = parts.pop() as string
    if (this.#partial.length > MAX_RECORD_CHARACTERS) {
      this.#fail(`no delimiter ${JSON.stringify(delimiter)} came within ${MAX_RECORD_CHARACTERS} characters`)
      return
    }
    for (const part of parts) this.#add(part)
    if (this.#records.length - this.#next >= MAX_WAITING) this.#socket?.pause()
    if (parts.length > 0) this.#context.wake()
  }

  #add(record: string): void {
    const isLine = this.#options.delimiter === '\n' && record.endsWith('\r')
    this.#records.push(isLine ? record.slice(0, -1) : record)
  }

  #gone(split: SocketSplit, failure: Error | undefined): void {
    if (this.#closed || this.#ended) return
    // The next connection begins with a record of its own.
    if (this.#partial !== '') this.#add(this.#partial)
    this.#partial = ''
    const { maxRetries, retryDelayMs, maxRetryDelayMs } = this.#options
    const { host, port } = split
    if (this.#retries < maxRetries) {
      const delayMs = Math.min(maxRetryDelayMs, retryDelayMs * 2 ** this.#retries++)
      const fields = { host, port, attempt: this.#retries, delayMs, error: failure }
      this.#context.logger.warn(fields, 'Socket is closed: it is connected again')
      this.#timer = setTimeout(() => this.#connect(split), delayMs)
    } else if (failure !== undefined) {
      this.#fail(failure.message)
    } else {
      this.#ended = true
    }
    this.#context.wake()
  }

  #fail(reason: string): void {
    const { host, port } = this.#split as SocketSplit
    // Not the end of the stream: the task is about to fail.
    this.#closed = true
    this.#socket?.destroy()
    this.#context.fail(SocketFailed({ address: `${host}:${port}`, reason }))
  }
}
