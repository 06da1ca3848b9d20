import type { Logger, OperatorId } from '@flink-ts/common'

/**
 * The part of an operator that exists once for the job, whatever the parallelism: hands out splits, commits for all
 * subtasks. Runs in the job host, in a thread of its job; calls come one at a time. Promises are not waited for before
 * the next call, but for those of `start`.
 *
 * A subtask is reachable from its first event until it is reset; events to it are lost when its attempt fails, and
 * `subtaskReset` follows.
 */
export interface OperatorCoordinator {
  /** Before all other calls. */
  start(): void | Promise<void>
  handleEvent(subtaskIndex: number, event: Uint8Array): void
  /**
   * The subtask starts again from a checkpoint (undefined: from nothing): what it was sent after the coordinator's
   * snapshot for that checkpoint has been undone. It is not reachable until its next event.
   */
  subtaskReset(subtaskIndex: number, checkpointId: number | undefined): void
  /** The state at this moment: what is sent from now on is not part of the checkpoint. */
  snapshot(checkpointId: number): Uint8Array
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  close?(): void | Promise<void>
}

/** What a coordinator gets from the job host. */
export interface CoordinatorContext {
  readonly operatorId: OperatorId
  readonly operatorName: string
  readonly jobId: string
  readonly jobName: string
  readonly parallelism: number
  /** Undefined: fresh start. */
  readonly restoredCheckpointId: number | undefined
  /** Sends to the current attempt of a subtask. Ignored if the subtask is not reachable. */
  sendEvent(subtaskIndex: number, event: Uint8Array): void
  /** Restarts all tasks of the job, and the coordinators with them: for errors outside any call. */
  fail(error: unknown): void
  readonly logger: Logger
}

/** Makes the coordinator of an operator. */
export interface CoordinatorProvider {
  /** @param restored what `snapshot` gave; undefined: fresh start, or a checkpoint without this operator */
  create(context: CoordinatorContext, restored: Uint8Array | undefined): OperatorCoordinator
}
