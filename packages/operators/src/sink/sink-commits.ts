import type { OperatorContext } from '../contract/stream-operator.ts'
import { GlobalCommittables, type PendingCommittables } from './global-commit.ts'
import type { Committer, Sink } from './sink.ts'

/** Of everything that was prepared so far. */
const ALL = Number.MAX_SAFE_INTEGER

/**
 * The committables of one subtask: kept in state under the checkpoint that they were prepared for, committed when that
 * checkpoint or a later one is complete, and again after a restore. With a global committer they then go there, and stay
 * in state until that has committed them. Without checkpointing everything is committed at the end. Owner: the operator.
 */
export class SinkCommits {
  readonly #context: OperatorContext
  readonly #filesOf: (committables: readonly unknown[]) => readonly string[]
  readonly #committer: Committer<unknown> | undefined
  readonly #global: GlobalCommittables | undefined
  readonly #state
  readonly #globalState
  #pending: PendingCommittables[] = []

  constructor(context: OperatorContext, sink: Sink<never, unknown, unknown>) {
    this.#context = context
    this.#filesOf = committables => committables.flatMap(committable => sink.filesOf?.(committable) ?? [])
    this.#committer = sink.createCommitter?.()
    this.#state = context.operatorState.listState<PendingCommittables>('SinkCommittables')
    if (sink.createGlobalCommitter === undefined) return
    this.#globalState = context.operatorState.listState<PendingCommittables>('SinkGlobalCommittables')
    this.#global = new GlobalCommittables(
      event => context.sendOperatorEvent(event),
      committables => this.#done(committables),
    )
  }

  /** Commits what was restored: it belongs to the checkpoint that this attempt starts from, or to an earlier one. */
  async open(): Promise<void> {
    const restored = [...this.#state.get()]
    await this.#commit(restored)
    this.#global?.restore(
      [...(this.#globalState?.get() ?? []), ...restored],
      this.#context.restoredCheckpointId,
    )
    this.#committer?.opened?.()
  }

  /** What the checkpoint being taken makes ready to be committed. */
  prepared(checkpointId: number, committables: readonly unknown[]): void {
    if (committables.length === 0) return
    this.#pending.push({ checkpointId, committables })
    this.#context.files.covered(this.#filesOf(committables), checkpointId)
  }

  snapshotState(): void {
    this.#state.update([...this.#pending])
    this.#globalState?.update([...(this.#global?.pending ?? [])])
  }

  /** The checkpoint is complete. */
  async commitUpTo(checkpointId: number): Promise<void> {
    const due = this.#pending.filter(entry => entry.checkpointId <= checkpointId)
    await this.#commit(due)
    this.#pending = this.#pending.filter(entry => !due.includes(entry))
    this.#global?.ready(checkpointId, due)
  }

  /** Nothing more will come: everything that was prepared is committed when it resolves. */
  async finish(): Promise<void> {
    await this.commitUpTo(ALL)
    await this.#global?.settled()
  }

  handleOperatorEvent(event: Uint8Array): void {
    this.#global?.handleEvent(event)
  }

  cancel(): void {
    this.#global?.cancel()
  }

  async close(): Promise<void> {
    await this.#committer?.close?.()
  }

  async #commit(entries: readonly PendingCommittables[]): Promise<void> {
    if (entries.length === 0) return
    const committables = entries.flatMap(entry => entry.committables)
    await this.#committer?.commit(committables)
    if (this.#global === undefined) this.#done(committables)
  }

  #done(committables: readonly unknown[]): void {
    this.#context.files.gone(this.#filesOf(committables))
  }
}
