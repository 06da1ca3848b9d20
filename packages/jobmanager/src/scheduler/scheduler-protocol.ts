import type { AllocationId, ExecutionAttemptId, ResourceId, SerializedError } from '@flink-ts/common'
import type { SlotOffer, TaskExecutionStateUpdate } from '@flink-ts/gateways'
import type { Execution } from '../execution-graph/execution-graph.ts'

/**
 * Timers of the scheduler; at most one of each runs. `deploy` is due at once, but after the answer to an offer: a
 * TaskManager knows that a slot is the job's before tasks come for it.
 */
export type SchedulerTimer = 'slot-request' | 'slot-idle' | 'restart' | 'deploy'

/** Facts that the scheduler learns. */
export type SchedulerEvent =
  /** The state to start from is known; scheduling begins. */
  | { readonly type: 'initialized' }
  | { readonly type: 'initialization-failed'; readonly error: SerializedError }
  | {
      readonly type: 'task-manager-registered'
      readonly taskManager: ResourceId
      readonly dataAddress: string
    }
  /** It will end: its tasks are to be started elsewhere, from the checkpoint that was just taken. */
  /** It will end: nothing that starts from now on is to run there. */
  | { readonly type: 'task-manager-leaving'; readonly taskManager: ResourceId }
  /** A checkpoint was taken, from which what runs there is to start elsewhere. Follows `task-manager-leaving`. */
  | { readonly type: 'task-manager-draining'; readonly taskManager: ResourceId }
  | { readonly type: 'task-manager-lost'; readonly taskManager: ResourceId; readonly reason: string }
  | {
      readonly type: 'slots-offered'
      readonly taskManager: ResourceId
      readonly offers: readonly SlotOffer[]
    }
  | {
      readonly type: 'slot-lost'
      readonly taskManager: ResourceId
      readonly allocationId: AllocationId
      readonly cause: SerializedError
    }
  | {
      readonly type: 'task-updated'
      readonly taskManager: ResourceId
      readonly update: TaskExecutionStateUpdate
    }
  | {
      readonly type: 'deployment-refused'
      readonly taskManager: ResourceId
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly cause: SerializedError
    }
  | { readonly type: 'cancel-requested' }
  /** Something that concerns no single task: checkpoints that keep failing. All tasks are restarted. */
  | { readonly type: 'global-failure'; readonly error: SerializedError }
  /** What keeps running would end although the job goes on: the restart under way takes all tasks with it. */
  | { readonly type: 'restart-all' }
  | { readonly type: 'suspended' }
  | { readonly type: 'timer'; readonly timer: SchedulerTimer }

/** What is to be done, in this order; the JobMaster does it. */
export type SchedulerAction =
  /** Answer to `slots-offered`; the other slots of the offer are the TaskManager's again. */
  | { readonly type: 'accept-slots'; readonly allocationIds: readonly AllocationId[] }
  | { readonly type: 'declare-slots'; readonly slots: number }
  /** All executions have a location. `epoch` grows with each deployment of the job. */
  | { readonly type: 'deploy'; readonly epoch: number; readonly executions: readonly Execution[] }
  | { readonly type: 'cancel-task'; readonly taskManager: ResourceId; readonly attemptId: ExecutionAttemptId }
  | {
      readonly type: 'free-slot'
      readonly taskManager: ResourceId
      readonly allocationId: AllocationId
      readonly reason: string
    }
  | { readonly type: 'set-timer'; readonly timer: SchedulerTimer; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: SchedulerTimer }
  | { readonly type: 'task-running'; readonly attemptId: ExecutionAttemptId }
  | { readonly type: 'task-finished'; readonly attemptId: ExecutionAttemptId }
  /** These attempts are over or will be: what they still say about checkpoints does not count. */
  | { readonly type: 'tasks-stopped'; readonly attemptIds: readonly ExecutionAttemptId[] }
  | { readonly type: 'job-terminated' }
