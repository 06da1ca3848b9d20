import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import { PrintFailed } from '../errors.ts'
import type { Sink, SinkWriter, SinkWriterContext } from './sink.ts'

const STANDARD_OUTPUT = 1
const CHUNK_CHARS = 32 * 1024
const FLUSH_AFTER_MS = 50
const RETRY_AFTER_MS = 5

/** Writes bytes to standard output and returns how many it took; throws with code EAGAIN when it is full. */
export type WriteOutput = (bytes: Uint8Array) => number

/**
 * Prints each record as a line on the standard output of the process that runs the subtask; with parallelism above 1
 * after `<subtask from 1>> `. Not through console.log, whose way over the main thread has no bound.
 */
export class PrintSink<T> implements Sink<T, never, never> {
  readonly kind = 'print'
  readonly #identifier: string | undefined
  readonly #writeOutput: WriteOutput

  /** @param identifier printed before each line, as `identifier> ` or `identifier:<subtask>> ` */
  constructor(identifier?: string, writeOutput: WriteOutput = bytes => writeSync(STANDARD_OUTPUT, bytes)) {
    this.#identifier = identifier
    this.#writeOutput = writeOutput
  }

  createWriter(context: SinkWriterContext): SinkWriter<T, never, never> {
    const parts = [this.#identifier, context.parallelism > 1 ? String(context.subtaskIndex + 1) : undefined]
    const prefix = parts.filter(part => part !== undefined).join(':')
    return new PrintWriter(context, prefix === '' ? '' : `${prefix}> `, this.#writeOutput)
  }
}

/** Gathers lines and writes them in chunks; when the output is full, takes the operator out of schedule meanwhile. */
class PrintWriter<T> implements SinkWriter<T, never, never> {
  readonly #context: SinkWriterContext
  readonly #prefix: string
  readonly #writeOutput: WriteOutput
  #lines = ''
  #unwritten: Uint8Array = new Uint8Array(0)
  #timer: NodeJS.Timeout | undefined
  #blocked = false
  #drained: { resolve(): void; reject(error: unknown): void } | undefined

  constructor(context: SinkWriterContext, prefix: string, writeOutput: WriteOutput) {
    this.#context = context
    this.#prefix = prefix
    this.#writeOutput = writeOutput
  }

  write(value: T): void {
    this.#lines += `${this.#prefix}${textOf(value)}\n`
    if (this.#lines.length >= CHUNK_CHARS && !this.#blocked) this.#drain()
    else this.#timer ??= setTimeout(() => this.#drainLater(), FLUSH_AFTER_MS)
  }

  flush(): void | Promise<void> {
    if (!this.#blocked) this.#drain()
    if (!this.#blocked) return undefined
    return new Promise((resolve, reject) => {
      this.#drained = { resolve, reject }
    })
  }

  cancel(): void {
    this.#drained?.reject(new Error('the task was ended before its lines were printed'))
    this.#drained = undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    // Lines already printed once are better than lines lost: after a failure, too, the last ones go out if they can.
    if (this.#lines === '' && this.#unwritten.length === 0) return
    try {
      this.#drain()
    } catch {
      // The output is gone, and the task is ending anyway.
    }
    clearTimeout(this.#timer)
    this.#drained?.resolve()
  }

  /** The same outside any call of the operator. */
  #drainLater(): void {
    this.#timer = undefined
    try {
      this.#drain()
    } catch (error) {
      if (this.#drained === undefined) this.#context.fail(error)
      else this.#drained.reject(error)
    }
  }

  #drain(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (;;) {
      if (this.#unwritten.length === 0) {
        if (this.#lines === '') break
        this.#unwritten = Buffer.from(this.#lines, 'utf8')
        this.#lines = ''
      }
      const written = this.#tryWrite(this.#unwritten)
      this.#unwritten = this.#unwritten.subarray(written)
      if (written > 0) continue
      this.#timer = setTimeout(() => this.#drainLater(), RETRY_AFTER_MS)
      if (!this.#blocked) this.#context.setAvailable(false)
      this.#blocked = true
      return
    }
    if (!this.#blocked) return
    this.#blocked = false
    this.#context.setAvailable(true)
    this.#drained?.resolve()
    this.#drained = undefined
  }

  /** Returns 0 if the output takes nothing now. */
  #tryWrite(bytes: Uint8Array): number {
    try {
      return this.#writeOutput(bytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
      throw PrintFailed({ error: error instanceof Error ? error.message : String(error) }, error)
    }
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return inspect(value, {
    depth: 10,
    breakLength: Infinity,
    compact: true,
    maxArrayLength: 1000,
    maxStringLength: null,
  })
}
