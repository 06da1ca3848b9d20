import type { ExecutionAttemptId, LoggerOptions, OperatorId, SerializedError } from '@flink-ts/common'
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  CheckpointTrigger,
  TapAnswer,
  TapRequest,
  TaskDeployment,
  TaskExecutionStateUpdate,
  TaskIoMetrics,
} from '@flink-ts/gateways'
import type { ChannelEnds } from '@flink-ts/network'
import type { StateSettings } from '@flink-ts/state'
import type { OverdraftLimits } from '../stream-task/overdraft.ts'
import type { ThreadMeasures } from './thread-metrics.ts'

/** The first message to a slot thread: whose it is. Plain data. */
export interface SlotThreadData {
  readonly slotId: string
  readonly jobId: string
  /** Rung by other threads when there is data or room for this one. */
  readonly bell: SharedArrayBuffer
  /** The thread's beats: see `Pulse`. */
  readonly pulse: SharedArrayBuffer
  readonly logger: LoggerOptions
  /** How state is kept and stored. */
  readonly state: StateSettings
  /** URIs of the folders for copies of the job's state on this host, its own first; empty: none are kept. */
  readonly localStateFolders: readonly string[]
  readonly overdraftLimits: OverdraftLimits
  /** Memory of the thread, heap and buffers together. */
  readonly memoryLimitBytes: number
}

/** An event between an operator of a task and the operator's coordinator. */
export interface TaskOperatorEvent {
  readonly attemptId: ExecutionAttemptId
  readonly operatorId: OperatorId
  readonly event: Uint8Array
}

/** From the main thread to a slot thread. */
export type SlotCommand =
  /** Once, before all other commands: the tasks of this thread. Channels that are not named are direct. */
  | {
      readonly type: 'deploy'
      readonly tasks: readonly TaskDeployment[]
      readonly moduleUrl: string
      readonly channels: readonly ChannelEnds[]
    }
  | { readonly type: 'cancel'; readonly attemptId: ExecutionAttemptId }
  | { readonly type: 'fail'; readonly attemptId: ExecutionAttemptId; readonly error: SerializedError }
  | {
      readonly type: 'trigger'
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly trigger: CheckpointTrigger
    }
  | { readonly type: 'drain'; readonly attemptIds: readonly ExecutionAttemptId[] }
  | {
      readonly type: 'complete' | 'aborted'
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly checkpointId: number
    }
  | ({ readonly type: 'operator-event' } & TaskOperatorEvent)
  /** Answer with `tapped`, under the same number. */
  | {
      readonly type: 'tap'
      readonly tapId: number
      readonly attemptIds: readonly ExecutionAttemptId[]
      readonly request: TapRequest
    }
  /** Answer with the largest states: memory is getting short. */
  | { readonly type: 'describe-states' }

/** What became of unfinished files of a task: see `AttemptFiles`. */
export interface FilesChange {
  readonly uris: readonly string[]
  /** `covered`: by checkpoint `checkpointId`. */
  readonly state: 'made' | 'covered' | 'gone'
  readonly checkpointId?: number
}

/** A task has written its part of a checkpoint, with copies on this host. */
export interface LocalCopiesMade {
  readonly checkpointId: number
  /** Checkpoints that have its files: itself, and earlier ones that it builds upon. */
  readonly origins: readonly number[]
}

/** From a slot thread to the main thread. */
export type SlotReport =
  | {
      readonly type: 'status'
      readonly update: TaskExecutionStateUpdate
      /** Lists that are too large for messages, encoded in parts. */
      readonly large?: Readonly<Record<string, readonly Uint8Array[]>>
    }
  /** The task is being closed: its last state follows. */
  | { readonly type: 'closing'; readonly attemptId: ExecutionAttemptId }
  | { readonly type: 'acknowledge'; readonly acknowledgement: CheckpointAcknowledgement }
  | { readonly type: 'decline'; readonly decline: CheckpointDecline }
  | { readonly type: 'end-of-data'; readonly attemptId: ExecutionAttemptId }
  | ({ readonly type: 'operator-event' } & TaskOperatorEvent)
  | ({ readonly type: 'files' } & FilesChange)
  | ({ readonly type: 'local-copies' } & LocalCopiesMade)
  | { readonly type: 'tapped'; readonly tapId: number; readonly answers: readonly TapAnswer[] }
  /** For messages, the largest first. */
  | { readonly type: 'states'; readonly largest: readonly string[] }
  /** The last one: the thread ends because of an error that belongs to no task. */
  | { readonly type: 'crash'; readonly error: SerializedError }
  | {
      readonly type: 'metrics'
      readonly metrics: Readonly<Record<string, TaskIoMetrics>>
      readonly thread?: ThreadMeasures
    }
