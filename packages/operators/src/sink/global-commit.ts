import { createValueSerializer } from '@flink-ts/serialization'
import type { CoordinatorContext, OperatorCoordinator } from '../contract/operator-coordinator.ts'
import type { Committer } from './sink.ts'

/** Committables of one subtask that belong to one checkpoint. */
export interface PendingCommittables {
  readonly checkpointId: number
  readonly committables: readonly unknown[]
}

/**
 * From a subtask: all that it has for checkpoints up to `upTo`, which are complete. The first one of an attempt has what
 * it was restored with, also if that is nothing.
 */
interface ReadyEvent {
  readonly upTo: number
  readonly entries: readonly PendingCommittables[]
}

/** To a subtask: everything of all subtasks up to this checkpoint is committed. */
interface CommittedEvent {
  readonly upTo: number
}

interface Subtask {
  readyUpTo: number
  entries: PendingCommittables[]
}

/**
 * Commits for all subtasks of a sink at once: when all of them have said what they have for a checkpoint. It keeps no
 * state: subtasks keep their committables in theirs until they hear that these are committed, and say them again after
 * a failure. Owner: the job's thread in the job host.
 */
export class GlobalCommitCoordinator implements OperatorCoordinator {
  readonly #committer: Committer<unknown>
  readonly #context: CoordinatorContext
  readonly #serializer = createValueSerializer()
  readonly #subtasks = new Map<number, Subtask>()
  #committedUpTo = -1
  #committing = false

  constructor(committer: Committer<unknown>, context: CoordinatorContext) {
    this.#committer = committer
    this.#context = context
  }

  start(): void {}

  handleEvent(subtaskIndex: number, event: Uint8Array): void {
    const { upTo, entries } = this.#serializer.decode(event) as ReadyEvent
    const subtask = this.#subtasks.get(subtaskIndex) ?? { readyUpTo: -1, entries: [] }
    this.#subtasks.set(subtaskIndex, subtask)
    subtask.readyUpTo = Math.max(subtask.readyUpTo, upTo)
    subtask.entries.push(...entries)
    this.#commit()
  }

  /** It says again what was not committed. */
  subtaskReset(subtaskIndex: number): void {
    this.#subtasks.delete(subtaskIndex)
  }

  snapshot(): Uint8Array {
    return new Uint8Array(0)
  }

  async close(): Promise<void> {
    await this.#committer.close?.()
  }

  #commit(): void {
    if (this.#committing || this.#subtasks.size < this.#context.parallelism) return
    const upTo = Math.min(...[...this.#subtasks.values()].map(subtask => subtask.readyUpTo))
    const due: unknown[] = []
    for (const subtask of this.#subtasks.values()) {
      for (const entry of subtask.entries) if (entry.checkpointId <= upTo) due.push(...entry.committables)
    }
    if (due.length === 0) {
      if (upTo > this.#committedUpTo) this.#committed(upTo)
      return
    }
    this.#committing = true
    this.#committer.commit(due).then(
      () => {
        this.#committing = false
        this.#committed(upTo)
        this.#commit()
      },
      (error: unknown) => this.#context.fail(error),
    )
  }

  #committed(upTo: number): void {
    this.#committedUpTo = upTo
    const event = this.#serializer.encode({ upTo } satisfies CommittedEvent)
    for (const [index, subtask] of this.#subtasks) {
      subtask.entries = subtask.entries.filter(entry => entry.checkpointId > upTo)
      this.#context.sendEvent(index, event)
    }
  }
}

/** The part of a subtask: keeps committables until the coordinator has committed them. Owner: the sink operator. */
export class GlobalCommittables {
  readonly #send: (event: Uint8Array) => void
  readonly #onCommitted: (committables: readonly unknown[]) => void
  readonly #serializer = createValueSerializer()
  #pending: PendingCommittables[] = []
  #waiting: { resolve(): void; reject(error: unknown): void } | undefined

  /** @param onCommitted told once of what is committed */
  constructor(send: (event: Uint8Array) => void, onCommitted: (committables: readonly unknown[]) => void) {
    this.#send = send
    this.#onCommitted = onCommitted
  }

  /** For the state of the subtask. */
  get pending(): readonly PendingCommittables[] {
    return this.#pending
  }

  /** First call. */
  restore(entries: readonly PendingCommittables[], restoredCheckpointId: number | undefined): void {
    this.#pending = [...entries]
    this.#say({ upTo: restoredCheckpointId ?? 0, entries })
  }

  /** These belong to a complete checkpoint, as everything before. */
  ready(upTo: number, entries: readonly PendingCommittables[]): void {
    this.#pending.push(...entries)
    this.#say({ upTo, entries })
  }

  /** Resolves when nothing is pending any more. */
  settled(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  handleEvent(event: Uint8Array): void {
    const { upTo } = this.#serializer.decode(event) as CommittedEvent
    const done = this.#pending.filter(entry => entry.checkpointId <= upTo)
    this.#pending = this.#pending.filter(entry => entry.checkpointId > upTo)
    this.#onCommitted(done.flatMap(entry => entry.committables))
    if (this.#pending.length > 0) return
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  /** The task ends otherwise. */
  cancel(): void {
    this.#waiting?.reject(new Error('the task was ended before its committables were committed'))
    this.#waiting = undefined
  }

  #say(event: ReadyEvent): void {
    this.#send(this.#serializer.encode(event))
  }
}
