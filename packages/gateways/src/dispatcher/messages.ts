import type { AccumulatorValues, JobId, SerializedError } from '@flink-ts/common'
import type {
  JobExecutionResult,
  JobGraph,
  JobStatus,
  ReplayableProgram,
  RestoreSettings,
} from '@flink-ts/jobgraph'
import type { TaskIoMetrics } from '../job-master/messages.ts'

export interface JobSubmission {
  readonly graph: JobGraph
  readonly program: ReplayableProgram
}

/** One line of the job list. */
export interface JobOverview {
  readonly jobId: JobId
  readonly name: string
  readonly status: JobStatus
  /** Milliseconds since the epoch; `endTime` -1 while it runs. */
  readonly startTime: number
  readonly endTime: number
  readonly lastModification: number
  /** Number of tasks in each execution state. */
  readonly tasks: Readonly<Record<ExecutionState, number>>
}

/** Flink's execution states, in its order. */
export const EXECUTION_STATES = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
  'RECONCILING',
] as const
export type ExecutionState = (typeof EXECUTION_STATES)[number]

/** A job in full, for REST and the page. */
export interface JobDetails extends JobOverview {
  /** When each status was entered; absent: never. */
  readonly timestamps: Readonly<Partial<Record<JobStatus, number>>>
  readonly maxParallelism: number
  readonly vertices: readonly VertexDetails[]
  readonly graph: JobGraph
  readonly checkpoints: CheckpointCounts
  readonly failures: readonly FailureEntry[]
  readonly restarts: number
}

export interface VertexDetails {
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly status: ExecutionState
  readonly startTime: number
  readonly endTime: number
  readonly subtasks: readonly SubtaskDetails[]
}

/** One attempt to run a subtask. */
export interface SubtaskDetails {
  readonly index: number
  readonly attempt: number
  readonly status: ExecutionState
  /** When each state was entered, milliseconds since the epoch; absent: never. */
  readonly timestamps: Readonly<Partial<Record<ExecutionState, number>>>
  /** Data address of the TaskManager; undefined: not deployed. */
  readonly location: string | undefined
  readonly taskManagerId: string | undefined
  readonly startTime: number
  readonly endTime: number
  readonly metrics: TaskIoMetrics
}

/** What is known of an attempt beyond the overview, which may be much: asked for by vertex. */
export interface SubtaskAttempt extends SubtaskDetails {
  /** So far; lists come at the end. */
  readonly accumulators: AccumulatorValues
}

/** The attempts of the subtasks of a vertex, in order of their index, the newest first. */
export interface VertexAttempts {
  readonly vertexId: string
  readonly subtasks: readonly (readonly SubtaskAttempt[])[]
}

export interface CheckpointCounts {
  readonly triggered: number
  readonly completed: number
  readonly failed: number
  readonly inProgress: number
  readonly restored: number
  readonly latestCompleted:
    | {
        readonly id: number
        readonly pointer: string
        readonly stateBytes: number
        readonly durationMs: number
        readonly timestamp: number
      }
    | undefined
}

export interface Failure {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly error: SerializedError
  /** Undefined: it concerned no single task. */
  readonly task: string | undefined
  /** Data address of the TaskManager where that task ran. */
  readonly location: string | undefined
  readonly taskManagerId: string | undefined
}

/** A failure that was answered by a restart or the end of the job. */
export interface FailureEntry extends Failure {
  /** What failed besides before that answer took effect, oldest first. */
  readonly concurrent: readonly Failure[]
}

/** A savepoint that a user wants. */
export interface SavepointRequestOptions {
  /** Path or URI; undefined: `execution.checkpointing.savepoint-dir`. */
  readonly directory: string | undefined
  /** `suspend`: the job ends with it, to go on from it. `drain`: its input ends first: windows and timers fire. */
  readonly stop: 'no' | 'suspend' | 'drain'
}

/** A savepoint under an id that the caller chose: repeating the call takes no second one. */
export interface SavepointTrigger extends Omit<SavepointRequestOptions, 'stop'> {
  readonly triggerId: string
  /** `cancel`: the job is cancelled after the savepoint was taken. */
  readonly stop: SavepointRequestOptions['stop'] | 'cancel'
}

/** How a job is to be started again, as a new one of the same program, arguments and parallelism. */
export interface JobRestart {
  /** Chosen by the caller: repeating the call starts no second one. */
  readonly triggerId: string
  readonly newJobId: JobId
  /** `savepoint`: one that is taken now, with which the running job ends. Undefined: without state. */
  readonly from: RestoreSettings | 'savepoint' | undefined
}

/** How far a savepoint is. */
export type SavepointStatus =
  | { readonly type: 'in-progress' }
  | { readonly type: 'completed'; readonly location: string }
  | { readonly type: 'failed'; readonly error: SerializedError }

/** Outcome of a finished job. */
export type JobResult =
  | { readonly status: 'FINISHED'; readonly result: JobExecutionResult }
  | {
      readonly status: 'FAILED' | 'CANCELED'
      readonly jobId: JobId
      readonly error: SerializedError | undefined
    }
