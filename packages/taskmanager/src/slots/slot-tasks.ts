import type { Clock, ExecutionAttemptId, SerializedError, Timer } from '@flink-ts/common'
import type { TaskExecutionStateUpdate } from '@flink-ts/gateways'

interface LiveTask {
  readonly attemptId: ExecutionAttemptId
  cancelled: boolean
  timer: Timer | undefined
}

interface SlotTasksDependencies {
  readonly clock: Clock
  /** The last state of a task; nothing of it follows. */
  readonly ended: (update: TaskExecutionStateUpdate, large: LargeResults | undefined) => void
  /** A task has not stopped in time. */
  readonly stuck: (attemptId: ExecutionAttemptId) => void
}

/** Lists of a result that are too large for messages, by name, encoded in parts. */
export type LargeResults = Readonly<Record<string, readonly Uint8Array[]>>

const NO_METRICS = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

/** The tasks of a slot that have not ended, and the time that those have that are to stop. Owner: the slot. */
export class SlotTasks {
  readonly #cancellationTimeoutMs: number
  readonly #ports: SlotTasksDependencies
  readonly #tasks = new Map<ExecutionAttemptId, LiveTask>()

  constructor(options: { readonly cancellationTimeoutMs: number }, dependencies: SlotTasksDependencies) {
    this.#cancellationTimeoutMs = options.cancellationTimeoutMs
    this.#ports = dependencies
  }

  get ids(): readonly ExecutionAttemptId[] {
    return [...this.#tasks.keys()]
  }

  get size(): number {
    return this.#tasks.size
  }

  has(attemptId: ExecutionAttemptId): boolean {
    return this.#tasks.has(attemptId)
  }

  add(attemptId: ExecutionAttemptId): void {
    this.#tasks.set(attemptId, { attemptId, cancelled: false, timer: undefined })
  }

  /** The task is to be cancelled; its time begins. False: it is not there. */
  cancel(attemptId: ExecutionAttemptId): boolean {
    const task = this.#tasks.get(attemptId)
    if (task === undefined) return false
    task.cancelled = true
    this.closing(attemptId)
    return true
  }

  /** The task is ending; its time begins. */
  closing(attemptId: ExecutionAttemptId): void {
    const task = this.#tasks.get(attemptId)
    if (task === undefined) return
    task.timer ??= this.#ports.clock.schedule(this.#cancellationTimeoutMs, () => this.#ports.stuck(attemptId))
  }

  end(update: TaskExecutionStateUpdate, large?: LargeResults): void {
    const task = this.#tasks.get(update.attemptId)
    if (task === undefined) return
    task.timer?.cancel()
    this.#tasks.delete(update.attemptId)
    this.#ports.ended(update, large)
  }

  /** Ends one that has never begun, as CANCELED. */
  endCancelled(attemptId: ExecutionAttemptId): void {
    this.end({ attemptId, status: 'CANCELED', metrics: NO_METRICS })
  }

  /** Ends those that can no longer say so themselves. */
  endAll(error: SerializedError): void {
    for (const { attemptId, cancelled } of [...this.#tasks.values()]) {
      const end = cancelled ? { status: 'CANCELED' as const } : { status: 'FAILED' as const, error }
      this.end({ attemptId, metrics: NO_METRICS, ...end })
    }
  }
}
