import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TwoPhaseCommitSinkFunction } from 'flink-ts'

/** A transaction is a hidden folder of this name, with its files where they will be. */
interface Transaction {
  readonly id: string
}

interface Options<T> {
  /** Folder of a record, below that of the sink. */
  readonly partition: (record: T) => string
  /** A record as a line, without its end. */
  readonly line: (record: T) => string
}

const FLUSH_CHARACTERS = 1 << 16

/** Lines in folders, exactly once with checkpoints: files are moved to their place when the checkpoint is complete. */
export class PartitionedFiles<T> extends TwoPhaseCommitSinkFunction<T, Transaction> {
  override readonly kind = 'partitioned files'
  readonly #folder: string
  readonly #options: Options<T>
  /** Lines of the open transaction that are not written yet, by partition. Owner: the subtask. */
  readonly #buffers = new Map<string, string>()

  constructor(folder: string, options: Options<T>) {
    super()
    this.#folder = folder
    this.#options = options
  }

  beginTransaction(): Transaction {
    this.#buffers.clear()
    return { id: randomUUID() }
  }

  invoke(transaction: Transaction, record: T): void {
    const partition = this.#options.partition(record)
    const lines = `${this.#buffers.get(partition) ?? ''}${this.#options.line(record)}\n`
    if (lines.length < FLUSH_CHARACTERS) this.#buffers.set(partition, lines)
    else {
      this.#buffers.delete(partition)
      this.#append(transaction, partition, lines)
    }
  }

  preCommit(transaction: Transaction): void {
    for (const [partition, lines] of this.#buffers) this.#append(transaction, partition, lines)
    this.#buffers.clear()
  }

  commit(transaction: Transaction): void {
    const hidden = this.#hidden(transaction)
    // Nothing was written, or it was committed before.
    if (!existsSync(hidden)) return
    for (const entry of readdirSync(hidden, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const from = join(entry.parentPath, entry.name)
      const to = join(this.#folder, from.slice(hidden.length))
      mkdirSync(dirname(to), { recursive: true })
      renameSync(from, to)
    }
    this.abort(transaction)
  }

  abort(transaction: Transaction): void {
    rmSync(this.#hidden(transaction), { recursive: true, force: true })
  }

  #append(transaction: Transaction, partition: string, lines: string): void {
    const folder = join(this.#hidden(transaction), partition)
    mkdirSync(folder, { recursive: true })
    appendFileSync(join(folder, `part-${transaction.id}.csv`), lines)
  }

  #hidden({ id }: Transaction): string {
    return join(this.#folder, `.${id}`)
  }
}
