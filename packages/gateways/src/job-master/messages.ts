import type {
  AccumulatorValues,
  AllocationId,
  ExecutionAttemptId,
  JobId,
  ResourceId,
  SerializedError,
  SlotId,
} from '@flink-ts/common'
import type { TaskStateSnapshot } from '@flink-ts/state'

/** Name of the endpoint of the JobMaster of a job. */
export function jobMasterEndpointName(jobId: JobId): string {
  return `job-master/${jobId}`
}

/** First call of a TaskManager on a session to a JobMaster. */
export interface TaskManagerRegistration {
  readonly resourceId: ResourceId
  /** `host:port` of the record exchange. */
  readonly dataAddress: string
}

export interface SlotOffer {
  readonly allocationId: AllocationId
  readonly slotId: SlotId
}

/** Flink's execution states as far as a TaskManager reports them. */
export type TaskExecutionStatus =
  | 'DEPLOYING'
  | 'INITIALIZING'
  | 'RUNNING'
  | 'FINISHED'
  | 'CANCELED'
  | 'FAILED'

export interface TaskExecutionStateUpdate {
  readonly attemptId: ExecutionAttemptId
  readonly status: TaskExecutionStatus
  /** With FAILED. */
  readonly error?: SerializedError | undefined
  /** With FINISHED. */
  readonly accumulators?: AccumulatorValues | undefined
  readonly metrics: TaskIoMetrics
}

/** Counters of a task so far. */
export interface TaskIoMetrics {
  readonly recordsIn: number
  readonly recordsOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Absent before the task runs. */
  readonly load?: TaskLoad
  /** Of each operator of the chain, in its order. Absent before the task runs. */
  readonly operators?: readonly OperatorRecords[]
  /** In each second, lately. Absent before the task runs. */
  readonly rates?: TaskRates
  /** So far, without lists: those come with the end. Absent: there are none. */
  readonly accumulators?: AccumulatorValues
  /** Absent for sources, and where no operator works in event time. */
  readonly eventTime?: TaskEventTime
  /** Checkpoint that the task takes part in now, and what it waits for, in words. Absent: none. */
  readonly checkpoint?: { readonly checkpointId: number; readonly what: string }
}

/** Records and bytes in each second, over the last minute. */
export interface TaskRates {
  readonly recordsIn: number
  readonly recordsOut: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Where event time is in a task, and who holds it back. */
export interface TaskEventTime {
  /** Number.MIN_SAFE_INTEGER: there was none; Number.MAX_SAFE_INTEGER: end of the input. */
  readonly watermark: number
  /** Since when it has stood there, in milliseconds since the epoch. */
  readonly sinceMs: number
  /** Senders whose channels are no further, some of them if there are many: `Source: orders (2/4)`. */
  readonly heldBy: readonly string[]
}

/** Milliseconds that a task had work, had none, and could not go on because its outputs were full. */
export interface ActivityMs {
  readonly busyMs: number
  readonly idleMs: number
  readonly backPressuredMs: number
}

/** What keeps a task. */
export interface TaskLoad {
  /** Since it runs. */
  readonly total: ActivityMs
  /** In each second, lately. */
  readonly perSecond: ActivityMs
  /** How full the fullest of its input and output channels to other slots are: 0 to 1. */
  readonly inputUsage: number
  readonly outputUsage: number
}

/** Counters of one operator so far; side outputs do not count. */
export interface OperatorRecords {
  readonly name: string
  readonly recordsIn: number
  readonly recordsOut: number
  /** Its other metrics, those of users among them, by their names below the operator. Absent: there are none. */
  readonly metrics?: Readonly<Record<string, number | string>>
}

export interface CheckpointAcknowledgement {
  readonly attemptId: ExecutionAttemptId
  readonly checkpointId: number
  readonly state: TaskStateSnapshot
  readonly metrics: {
    readonly alignmentMs: number
    readonly syncMs: number
    readonly asyncMs: number
    readonly startDelayMs: number
    readonly stateBytes: number
    /** Of it what was written for this checkpoint, without files of earlier ones; absent: all. */
    readonly writtenBytes?: number
    /** The snapshot was taken before all barriers had come. */
    readonly unaligned?: boolean
    /** Of records on their way that are part of it. */
    readonly persistedBytes?: number
    /** Of records that the task went on to take from channels without a barrier during the alignment. */
    readonly processedBytes?: number
    /** Of records that waited on channels with a barrier, at the end of the alignment. */
    readonly bufferedBytes?: number
  }
}

export interface CheckpointDecline {
  readonly attemptId: ExecutionAttemptId
  readonly checkpointId: number
  readonly reason: SerializedError
}
