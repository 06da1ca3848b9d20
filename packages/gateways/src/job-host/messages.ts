import type { ExecutionAttemptId, JobId, OperatorId, SerializedError } from '@flink-ts/common'
import type { JobInformation } from '../task-executor/messages.ts'

/** Name of the endpoint that job hosts register at. */
export const JOB_HOSTS_ENDPOINT = 'job-hosts'

/** First call of a job host. */
export interface JobHostRegistration {
  /** The secret that the JobManager gave to the process it started. */
  readonly token: string
  readonly pid: number
}

/** One run of the coordinators of a job. A later run has a higher number; what an earlier one says does not count. */
export interface CoordinatorsRun {
  readonly jobId: JobId
  readonly run: number
}

/** Everything that a job host needs to run the coordinators of a job. */
export interface CoordinatorsDeployment extends CoordinatorsRun {
  readonly job: JobInformation
  /** Undefined: fresh start. */
  readonly restoredCheckpointId: number | undefined
  /** State by operator; absent: the operator has none in the checkpoint. */
  readonly states: readonly CoordinatorState[]
}

/** State of the coordinator of one operator, as the coordinator encoded it. */
export interface CoordinatorState {
  readonly operatorId: OperatorId
  readonly state: Uint8Array
}

/** An event between the coordinator of an operator and one attempt of one of its subtasks. */
export interface OperatorEvent {
  readonly operatorId: OperatorId
  readonly subtaskIndex: number
  readonly attemptId: ExecutionAttemptId
  readonly event: Uint8Array
}

/** To the coordinators of a job, in this order. */
export type CoordinatorCommand =
  | ({ readonly type: 'event' } & OperatorEvent)
  /** These subtasks start again from a checkpoint (undefined: from nothing); nothing of their last attempt follows. */
  | {
      readonly type: 'reset'
      readonly subtasks: readonly { readonly operatorId: OperatorId; readonly subtaskIndex: number }[]
      readonly checkpointId: number | undefined
    }
  /** Answered by `snapshot` or `snapshot-failed`. */
  | { readonly type: 'snapshot'; readonly checkpointId: number }
  | { readonly type: 'complete'; readonly checkpointId: number }
  | { readonly type: 'aborted'; readonly checkpointId: number }

/** From the coordinators of a job, in this order. */
export type CoordinatorReport =
  | { readonly type: 'started' }
  | ({ readonly type: 'event' } & OperatorEvent)
  | {
      readonly type: 'snapshot'
      readonly checkpointId: number
      readonly states: readonly CoordinatorState[]
    }
  | { readonly type: 'snapshot-failed'; readonly checkpointId: number; readonly reason: SerializedError }
  /** The run is over. */
  | { readonly type: 'failed'; readonly error: SerializedError }
