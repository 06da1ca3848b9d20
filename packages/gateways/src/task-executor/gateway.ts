import type { AllocationId, ExecutionAttemptId, OperatorId } from '@flink-ts/common'
import { defineGateway } from '@flink-ts/rpc'
import type { ProcessInspection } from '../process/process-monitor.ts'
import type { TaskInspection } from '../process/task-inspection.ts'
import type { CheckpointTrigger, JobOver, SlotRequest, TaskSubmission } from './messages.ts'

/** What may be said to a TaskExecutor. ResourceManager: `requestSlot`, `inspect`. JobMaster: the rest, for its own job's slots. */
export interface TaskExecutorGateway {
  /** Idempotent for the same allocation. Rejects with `taskmanager.slot-occupied` if another one has the slot. */
  requestSlot(request: SlotRequest): Promise<void>
  /** See `inspectProcess` and `TaskInspection`. */
  inspect(inspection: ProcessInspection | TaskInspection): Promise<unknown>
  /**
   * Gives a slot back: its tasks are failed and its thread ends. Idempotent. With `jobOver`, settles when unfinished
   * files of the job's tasks are removed.
   */
  freeSlot(allocationId: AllocationId, reason: string, jobOver?: JobOver): Promise<void>
  /** Accepts tasks for deployment, all of one slot in one call; states follow by `updateTaskExecutionState`. */
  submitTasks(submission: TaskSubmission): Promise<void>
  /** Idempotent; the task ends as CANCELED, or its thread is terminated after `task.cancellation.timeout`. */
  cancelTask(attemptId: ExecutionAttemptId): Promise<void>
  /** To the tasks with sources. */
  triggerCheckpoint(attemptIds: readonly ExecutionAttemptId[], trigger: CheckpointTrigger): Promise<void>
  /** To tasks with sources: they end as if there were nothing more to read; all tasks then wait for a last checkpoint. */
  drainSources(attemptIds: readonly ExecutionAttemptId[]): Promise<void>
  notifyCheckpointComplete(attemptIds: readonly ExecutionAttemptId[], checkpointId: number): Promise<void>
  notifyCheckpointAborted(attemptIds: readonly ExecutionAttemptId[], checkpointId: number): Promise<void>
  /** From the coordinator of an operator. In order with triggers. Ignored if the task has ended. */
  sendOperatorEvent(attemptId: ExecutionAttemptId, operatorId: OperatorId, event: Uint8Array): Promise<void>
}

export const taskExecutorGateway = defineGateway<TaskExecutorGateway>('task-executor', [
  'requestSlot',
  'inspect',
  'freeSlot',
  'submitTasks',
  'cancelTask',
  'triggerCheckpoint',
  'drainSources',
  'notifyCheckpointComplete',
  'notifyCheckpointAborted',
  'sendOperatorEvent',
])
