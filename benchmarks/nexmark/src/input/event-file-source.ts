import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { ReaderOutput, Source, SourceReader, SourceReaderContext } from 'flink-ts'
import type { Event } from '../model/events.ts'
import { parseEvent } from './event-lines.ts'

interface FileSplit {
  /** Number of lines that were read. */
  readonly lines: number
}

/** While so many lines wait, no more is read. */
const WAITING_LINES = 10_000

/** The events of a file of JSON lines, compressed if its name ends in `.gz`, in their order: in one subtask. */
export class EventFileSource implements Source<Event, FileSplit> {
  readonly boundedness = 'bounded'
  readonly kind = 'event file'
  readonly nonParallel = true
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  enumerateSplits(): readonly FileSplit[] {
    return [{ lines: 0 }]
  }

  createReader(context: SourceReaderContext): SourceReader<Event, FileSplit> {
    return new EventFileReader(this.#path, context)
  }
}

class EventFileReader implements SourceReader<Event, FileSplit> {
  readonly #path: string
  readonly #context: SourceReaderContext
  /** Undefined: there is no split, or it is read. */
  #emitted: number | undefined
  #skip = 0
  #stream: Readable | undefined
  #lines: string[] = []
  #next = 0
  /** Of a line that is not complete yet. */
  #rest = ''
  #ended = false

  constructor(path: string, context: SourceReaderContext) {
    this.#path = path
    this.#context = context
  }

  addSplits(splits: readonly FileSplit[]): void {
    for (const { lines } of splits) {
      this.#emitted = lines
      this.#skip = lines
      this.#read()
    }
  }

  poll(max: number, output: ReaderOutput<Event>): 'more' | 'wait' | 'end' {
    if (this.#emitted === undefined) return 'end'
    const end = Math.min(this.#lines.length, this.#next + max)
    while (this.#next < end) {
      const line = this.#lines[this.#next++] as string
      this.#emitted++
      if (line !== '') output.collect(parseEvent(line, this.#path, this.#emitted))
    }
    if (this.#next < this.#lines.length) return 'more'
    this.#lines = []
    this.#next = 0
    if (this.#ended) {
      this.#emitted = undefined
      return 'end'
    }
    this.#stream?.resume()
    return 'wait'
  }

  snapshot(): readonly FileSplit[] {
    return this.#emitted === undefined ? [] : [{ lines: this.#emitted }]
  }

  close(): void {
    this.#stream?.destroy()
    this.#stream = undefined
  }

  #read(): void {
    const file = createReadStream(this.#path)
    const failed = (error: NodeJS.ErrnoException | null | undefined): void => {
      // `close` ended it.
      if (error == null || this.#stream === undefined) return
      this.#context.fail(
        new Error(`Events cannot be read from ${this.#path}: ${error.message}`, { cause: error }),
      )
    }
    const stream: Readable = this.#path.endsWith('.gz') ? pipeline(file, createGunzip(), failed) : file
    if (stream === file) file.on('error', failed)
    this.#stream = stream
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => this.#take(chunk))
    stream.on('end', () => {
      this.#ended = true
      this.#take('\n')
    })
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() as string
    const skipped = Math.min(this.#skip, lines.length)
    this.#skip -= skipped
    for (let i = skipped; i < lines.length; i++) this.#lines.push(lines[i] as string)
    if (this.#lines.length - this.#next > WAITING_LINES) this.#stream?.pause()
    this.#context.wake()
  }
}
