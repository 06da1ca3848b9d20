import type { Committer, Sink, SinkWriter, SinkWriterContext } from './sink.ts'

/** In state: a transaction that was open when the snapshot was taken. */
interface OpenTransaction<Transaction> {
  readonly open: Transaction
}

/**
 * Base of sinks that write into transactions of an external system, exactly once: what is written between two
 * checkpoints is one transaction of each subtask, which is pre-committed with the checkpoint and committed when that is
 * complete. A transaction is plain data that identifies it (an id, a name): it is stored in checkpoints, and may be
 * committed or aborted by another process than the one that began it.
 *
 * After a failure, commits may be repeated and a transaction that no checkpoint knows is left to the external system's
 * time-out; those that were open in the checkpoint are aborted. Methods may return promises, but `invoke`.
 * @example class InsertRows extends TwoPhaseCommitSinkFunction<Row, { id: string }> {
 *   beginTransaction() { return { id: crypto.randomUUID() } }
 *   invoke(transaction: { id: string }, row: Row) { db.insert(transaction.id, row) }
 *   preCommit(transaction: { id: string }) { return db.prepare(transaction.id) }
 *   commit(transaction: { id: string }) { return db.commitIfPrepared(transaction.id) }
 *   abort(transaction: { id: string }) { return db.rollback(transaction.id) }
 * }
 * stream.sinkTo(new InsertRows())
 */
export abstract class TwoPhaseCommitSinkFunction<T, Transaction>
  implements Sink<T, Transaction, OpenTransaction<Transaction>>
{
  readonly kind: string = 'two-phase-commit'

  /** Begins a transaction: at the start of the subtask and after each `preCommit`. */
  abstract beginTransaction(): Transaction | Promise<Transaction>

  /** Writes a record; synchronous. What is still under way must be through when `preCommit` resolves. */
  abstract invoke(transaction: Transaction, value: T, timestamp: number): void

  /** From now on the transaction can be committed, whatever happens to this process. Nothing is written to it any more. */
  abstract preCommit(transaction: Transaction): void | Promise<void>

  /** Makes it visible. Idempotent: one that is committed already is no error. Rejecting restarts the job, which tries again. */
  abstract commit(transaction: Transaction): void | Promise<void>

  /** Undoes it. Idempotent: one that is unknown is no error. */
  abstract abort(transaction: Transaction): void | Promise<void>

  /** `commit` after a restore. */
  recoverAndCommit(transaction: Transaction): void | Promise<void> {
    return this.commit(transaction)
  }

  /** `abort` after a restore. */
  recoverAndAbort(transaction: Transaction): void | Promise<void> {
    return this.abort(transaction)
  }

  async createWriter(
    _context: SinkWriterContext,
    restored: readonly OpenTransaction<Transaction>[],
  ): Promise<SinkWriter<T, Transaction, OpenTransaction<Transaction>>> {
    for (const { open } of restored) await this.recoverAndAbort(open)
    return new TransactionWriter(this, await this.beginTransaction())
  }

  createCommitter(): Committer<Transaction> {
    let recovering = true
    return {
      commit: async transactions => {
        for (const transaction of transactions) {
          await (recovering ? this.recoverAndCommit(transaction) : this.commit(transaction))
        }
      },
      opened: () => {
        recovering = false
      },
    }
  }
}

/** One subtask: always with a transaction to write to. Owner: one slot thread. */
class TransactionWriter<T, Transaction> implements SinkWriter<T, Transaction, OpenTransaction<Transaction>> {
  readonly #sink: TwoPhaseCommitSinkFunction<T, Transaction>
  #current: Transaction
  /** It was given away and no other was begun, because that failed or is under way. */
  #taken = false

  constructor(sink: TwoPhaseCommitSinkFunction<T, Transaction>, first: Transaction) {
    this.#sink = sink
    this.#current = first
  }

  write(value: T, timestamp: number): void {
    this.#sink.invoke(this.#current, value, timestamp)
  }

  flush(): void {
    // `preCommit` does it, transaction by transaction.
  }

  async prepareCommit(): Promise<readonly Transaction[]> {
    const finished = this.#current
    await this.#sink.preCommit(finished)
    this.#taken = true
    this.#current = await this.#sink.beginTransaction()
    this.#taken = false
    return [finished]
  }

  snapshotState(): readonly OpenTransaction<Transaction>[] {
    return [{ open: this.#current }]
  }

  async close(): Promise<void> {
    // What no checkpoint covers comes again.
    if (!this.#taken) await this.#sink.abort(this.#current)
  }
}
