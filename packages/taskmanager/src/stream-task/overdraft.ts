import type { OverdraftBudget } from '@flink-ts/network'
import { OverdraftExceeded, QueueExceeded } from '../errors.ts'

/** How much one task may emit beyond the room of its channels. */
export interface OverdraftLimits {
  /** Encoded bytes over all channels to other slots. */
  readonly maxBytes: number
  /** Records in one channel to a task of the same slot. */
  readonly maxRecords: number
}

/** The overdraft of the edges that one operator feeds. */
export interface OperatorOverdraft extends OverdraftBudget {
  /** One more record is to join `queued` others in a direct channel. Throws if these are too many. */
  queue(queued: number): void
}

/**
 * Counts what the operators of a task emit beyond the room of its channels, and refuses what is beyond the limits. The
 * refusal is thrown into the operator that emits and kept: the record is lost, so that the task has to fail even if
 * user code catches the error. Owner: the task.
 */
export class Overdraft {
  readonly #task: string
  readonly #limits: OverdraftLimits
  #sizeBytes = 0
  #failure: Error | undefined

  constructor(options: { readonly task: string; readonly limits: OverdraftLimits }) {
    this.#task = options.task
    this.#limits = options.limits
  }

  /** @param operator whose output it is, for messages */
  of(operator: string): OperatorOverdraft {
    const { maxBytes, maxRecords } = this.#limits
    return {
      grow: sizeBytes => {
        const waitingBytes = this.#sizeBytes + sizeBytes
        if (waitingBytes > maxBytes)
          this.#refuse(OverdraftExceeded({ task: this.#task, operator, waitingBytes, maxBytes }))
        this.#sizeBytes = waitingBytes
      },
      shrink: sizeBytes => {
        this.#sizeBytes -= sizeBytes
      },
      queue: queued => {
        if (queued >= maxRecords)
          this.#refuse(QueueExceeded({ task: this.#task, operator, waiting: queued + 1, maxRecords }))
      },
    }
  }

  /** Throws the first refusal, if there was one. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #refuse(error: Error): never {
    this.#failure ??= error
    throw error
  }
}
