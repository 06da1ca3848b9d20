import type { AllocationId, ExecutionAttemptId, OperatorId, SerializedError } from '@flink-ts/common'
import { defineGateway } from '@flink-ts/rpc'
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  SlotOffer,
  TaskExecutionStateUpdate,
  TaskIoMetrics,
  TaskManagerRegistration,
} from './messages.ts'

/** What a TaskExecutor may say to a JobMaster. */
export interface JobMasterGateway {
  registerTaskManager(registration: TaskManagerRegistration): Promise<void>
  /** Answers the allocations that were accepted; the others are to be freed. */
  offerSlots(offers: readonly SlotOffer[]): Promise<readonly AllocationId[]>
  /** A slot is gone (its thread died); its tasks were reported failed before. */
  failSlot(allocationId: AllocationId, cause: SerializedError): Promise<void>
  /**
   * The TaskManager takes no more work and will end. A job that takes checkpoints takes one now, and then has the tasks
   * that run there started elsewhere from it, which counts as no failure; others run on. Settles when that is decided.
   */
  notifyDraining(): Promise<void>
  updateTaskExecutionState(update: TaskExecutionStateUpdate): Promise<void>
  acknowledgeCheckpoint(acknowledgement: CheckpointAcknowledgement): Promise<void>
  declineCheckpoint(decline: CheckpointDecline): Promise<void>
  /** The task has seen all its input and emitted all its output; with checkpointing it waits for a last checkpoint. */
  notifyEndOfData(attemptId: ExecutionAttemptId): Promise<void>
  /** To the coordinator of an operator of this task. */
  sendOperatorEvent(attemptId: ExecutionAttemptId, operatorId: OperatorId, event: Uint8Array): Promise<void>
  /** Periodic, about once a second, while tasks run: for the web page and REST. */
  reportTaskMetrics(metrics: Readonly<Record<string, TaskIoMetrics>>): Promise<void>
}

export const jobMasterGateway = defineGateway<JobMasterGateway>('job-master', [
  'registerTaskManager',
  'offerSlots',
  'failSlot',
  'notifyDraining',
  'updateTaskExecutionState',
  'acknowledgeCheckpoint',
  'declineCheckpoint',
  'notifyEndOfData',
  'sendOperatorEvent',
  'reportTaskMetrics',
])
