import type { ExecutionAttemptId, SerializedError } from '@flink-ts/common'
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  CheckpointTrigger,
  CoordinatorState,
} from '@flink-ts/gateways'
import type { JobStatus } from '@flink-ts/jobgraph'
import type { CheckpointMetadata } from '@flink-ts/state'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import type { DiscardAction, RetireAction } from './aborted-folders.ts'
import type { SavepointAnswer, SavepointRequest } from './savepoint-requests.ts'

/** `trigger`: the next checkpoint is due. `expire/<id>`: checkpoint `id` has taken too long. */
export type CoordinatorTimer = 'trigger' | `expire/${number}`

/** Facts that the coordinator learns. */
export type CoordinatorEvent =
  | {
      readonly type: 'tasks-deployed'
      readonly tasks: readonly { readonly key: SubtaskKey; readonly attemptId: ExecutionAttemptId }[]
    }
  | { readonly type: 'task-running'; readonly attemptId: ExecutionAttemptId }
  | { readonly type: 'task-finished'; readonly attemptId: ExecutionAttemptId }
  /** Failover or end: what these attempts still say does not count. */
  | { readonly type: 'tasks-stopped'; readonly attemptIds: readonly ExecutionAttemptId[] }
  | { readonly type: 'end-of-data'; readonly attemptId: ExecutionAttemptId }
  | {
      readonly type: 'acknowledged'
      readonly acknowledgement: Pick<CheckpointAcknowledgement, 'attemptId' | 'checkpointId' | 'state'> &
        Partial<Pick<CheckpointAcknowledgement, 'metrics'>>
    }
  /** What a task that takes part in a checkpoint waits for, in words. */
  | {
      readonly type: 'task-waits'
      readonly attemptId: ExecutionAttemptId
      readonly checkpointId: number
      readonly what: string
    }
  | { readonly type: 'declined'; readonly decline: CheckpointDecline }
  /** Answer to `snapshot-coordinators`; a failure is `trigger-failed`. */
  | {
      readonly type: 'coordinators-snapshotted'
      readonly checkpointId: number
      readonly states: readonly CoordinatorState[]
    }
  | { readonly type: 'trigger-failed'; readonly checkpointId: number; readonly reason: SerializedError }
  | ({ readonly type: 'savepoint-requested' } & SavepointRequest)
  /** Somebody wants a checkpoint now, as a periodic one. */
  | { readonly type: 'checkpoint-requested'; readonly requestId: string }
  /** `metadata`: as it is stored, if that differs from what was to be stored. */
  | {
      readonly type: 'stored'
      readonly checkpointId: number
      readonly pointer: string
      readonly metadata?: CheckpointMetadata
    }
  | { readonly type: 'store-failed'; readonly checkpointId: number; readonly reason: SerializedError }
  | { readonly type: 'timer'; readonly timer: CoordinatorTimer }
  | { readonly type: 'job-over'; readonly status: JobStatus }

/** What is to be done, in this order; the JobMaster does it. */
export type CoordinatorAction =
  /** Ask the coordinators of operators for their state: before the tasks are triggered. */
  | { readonly type: 'snapshot-coordinators'; readonly checkpointId: number }
  | {
      readonly type: 'trigger'
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly trigger: CheckpointTrigger
    }
  /** Make it durable, in the folder `savepoint` if that is given; answer with `stored` or `store-failed`. */
  | { readonly type: 'store'; readonly metadata: CheckpointMetadata; readonly savepoint?: string }
  /** Tasks with sources have nothing more to read. */
  | { readonly type: 'drain-sources'; readonly attemptIds: readonly ExecutionAttemptId[] }
  | SavepointAnswer
  | {
      readonly type: 'notify-complete'
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly checkpointId: number
      /** Some of them end when they hear of it: no later one would tell them. */
      readonly last: boolean
      /** Of a checkpoint that was slow: the task that was last, and what it waited for. */
      readonly slowest?: string
    }
  | {
      readonly type: 'notify-aborted'
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly checkpointId: number
      readonly reason: string
    }
  | DiscardAction
  | RetireAction
  /** After all other storage work: remove the folder of the job, if nothing is retained. */
  | { readonly type: 'discard-job' }
  | { readonly type: 'set-timer'; readonly timer: CoordinatorTimer; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: CoordinatorTimer }
  | { readonly type: 'fail-job'; readonly error: SerializedError }
  /** Tasks were stopped while others were told to end for good: these have to start again with them. */
  | { readonly type: 'restart-all' }
