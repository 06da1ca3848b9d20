import { fileSystemFor, type RecoverableOutput } from '@flink-ts/filesystem'
import type { SinkWriter, SinkWriterContext } from '@flink-ts/operators'
import type { RowEncoder } from './csv-row-encoder.ts'
import { type PartCommittable, type PartWriterState, partUris, type WriterAttempt } from './part-file.ts'

/** Characters that are gathered before they are written. */
const BATCH_CHARACTERS = 64 * 1024
/** Characters on their way to storage beyond which no more records are taken. */
const MAX_WAITING_CHARACTERS = 4 * 2 ** 20

export interface PartWriterOptions {
  /** Absolute URI. */
  readonly folder: string
  readonly attempt: WriterAttempt
  readonly suffix: string
  /** States of earlier attempts whose files still wait for their commit. */
  readonly covering: readonly PartWriterState[]
}

export interface PartWriterDependencies<T> {
  readonly encoder: RowEncoder<T>
  readonly files: SinkWriterContext['files']
  setAvailable(available: boolean): void
  fail(error: unknown): void
}

interface OpenPart {
  readonly number: number
  readonly inProgressUri: string
  readonly finalUri: string
  output: RecoverableOutput | undefined
}

/**
 * Writes the rows of one subtask into a hidden file, which is closed at each checkpoint and becomes a committable.
 * Files are made at their first row, so that there are no empty ones. Owner: one slot thread; storage is written to in
 * order by a chain of promises, of which at most one write runs at a time.
 */
export class PartWriter<T> implements SinkWriter<T, PartCommittable, PartWriterState> {
  readonly #options: PartWriterOptions
  readonly #dependencies: PartWriterDependencies<T>
  #nextNumber = 0
  #part: OpenPart | undefined
  #text = ''
  #waitingCharacters = 0
  #tail: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined
  #closed = false

  constructor(options: PartWriterOptions, dependencies: PartWriterDependencies<T>) {
    this.#options = options
    this.#dependencies = dependencies
  }

  write(value: T): void {
    const { encoder } = this.#dependencies
    const row = encoder.encode(value)
    if (this.#part === undefined) {
      const number = this.#nextNumber++
      const { folder, attempt, suffix } = this.#options
      this.#part = { number, ...partUris(folder, attempt, number, suffix), output: undefined }
      const header = encoder.header()
      if (header !== undefined) this.#text += `${header}\n`
    }
    this.#text += `${row}\n`
    if (this.#text.length >= BATCH_CHARACTERS) this.#send()
  }

  async flush(): Promise<void> {
    this.#send()
    await this.#settled()
  }

  async prepareCommit(): Promise<readonly PartCommittable[]> {
    this.#send()
    await this.#settled()
    const part = this.#part
    const output = part?.output
    if (part === undefined || output === undefined) return []
    // A completed checkpoint promises the rows: they must survive the machine.
    const pending = await output.closeForCommit()
    this.#part = undefined
    return [pending]
  }

  snapshotState(): readonly PartWriterState[] {
    const { attempt, covering } = this.#options
    return [...covering, { attempt, nextNumber: this.#nextNumber }]
  }

  /** Rows that no checkpoint covers are dropped: they come again. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#text = ''
    await this.#tail
    const part = this.#part
    this.#part = undefined
    if (part?.output === undefined) return
    await part.output.abort()
    this.#dependencies.files.gone([part.inProgressUri])
  }

  /** Hands what was gathered to the chain of writes. */
  #send(): void {
    const part = this.#part
    if (this.#text === '' || part === undefined) return
    const text = this.#text
    this.#text = ''
    this.#waitingCharacters += text.length
    if (this.#waitingCharacters > MAX_WAITING_CHARACTERS) this.#dependencies.setAvailable(false)
    this.#tail = this.#tail.then(() => this.#store(part, text))
  }

  /** Never rejects: the first failure is kept and reported. */
  async #store(part: OpenPart, text: string): Promise<void> {
    try {
      if (this.#failure === undefined && !this.#closed) {
        if (part.output === undefined) {
          // First: a thread that ends in the middle of it may leave the file behind.
          this.#dependencies.files.made(part.inProgressUri)
          const writer = fileSystemFor(part.inProgressUri).recoverableWriter()
          part.output = await writer.open(part.inProgressUri, part.finalUri)
        }
        await part.output.write(Buffer.from(text))
      }
    } catch (error) {
      this.#failure = { error }
      this.#dependencies.fail(error)
    }
    const before = this.#waitingCharacters
    this.#waitingCharacters -= text.length
    if (
      before > MAX_WAITING_CHARACTERS &&
      this.#waitingCharacters <= MAX_WAITING_CHARACTERS &&
      !this.#closed
    ) {
      this.#dependencies.setAvailable(true)
    }
  }

  async #settled(): Promise<void> {
    await this.#tail
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
