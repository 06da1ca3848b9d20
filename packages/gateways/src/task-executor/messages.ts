import type {
  AllocationId,
  ExecutionAttemptId,
  JobId,
  JobVertexId,
  ResourceId,
  SlotId,
} from '@flink-ts/common'
import type { JobEdge, JobGraph, ReplayableProgram } from '@flink-ts/jobgraph'
import type { TaskStateSnapshot } from '@flink-ts/state'

/** ResourceManager asks a TaskManager to give a slot to a job; the TaskManager then offers it to the JobMaster. */
export interface SlotRequest {
  readonly slotId: SlotId
  readonly jobId: JobId
  readonly allocationId: AllocationId
  readonly jobMasterAddress: string
  readonly jobMasterEndpoint: string
}

/** Where a subtask runs: how its partners reach it. */
export interface SubtaskLocation {
  readonly subtaskIndex: number
  readonly attemptId: ExecutionAttemptId
  readonly taskManager: ResourceId
  readonly allocationId: AllocationId
  /** `host:port` of the record exchange of its TaskManager. */
  readonly dataAddress: string
}

/** One channel of this task: the partner subtask at the other end, and the channel's cluster-wide name. */
export interface ChannelDeployment {
  readonly channelId: string
  readonly partner: SubtaskLocation
}

/** All channels of one edge as seen from one subtask, in order of the partner's subtask index. */
export interface EdgeDeployment {
  readonly edge: JobEdge
  /** Parallelism of the partner vertex. */
  readonly partnerParallelism: number
  readonly channels: readonly ChannelDeployment[]
}

/** Job-wide facts that every task of the job needs; the same object for all its tasks. */
export interface JobInformation {
  readonly jobId: JobId
  readonly graph: JobGraph
  readonly program: ReplayableProgram
  /** `jobmanager` address for fetching blobs. */
  readonly blobAddress: string
  /** Where the TaskManager has the cached files of the job, by name: its own to say. */
  readonly cachedFilePaths?: Readonly<Record<string, string>>
  /** Resolved base URI of checkpoint storage; undefined: no checkpoints. */
  readonly checkpointDirectory: string | undefined
}

/** What a TaskManager needs to run one attempt of one subtask, beyond the facts of its job. */
export interface TaskDescription {
  readonly allocationId: AllocationId
  readonly attemptId: ExecutionAttemptId
  readonly attemptNumber: number
  readonly vertexId: JobVertexId
  readonly subtaskIndex: number
  readonly inputs: readonly EdgeDeployment[]
  readonly outputs: readonly EdgeDeployment[]
  /** State to restore, already assigned to this subtask; undefined: fresh start. */
  readonly restore: { readonly checkpointId: number; readonly state: TaskStateSnapshot } | undefined
}

/** Tasks of one slot, with the facts of their job once: the size of the message grows with the tasks alone. */
export interface TaskSubmission {
  readonly job: JobInformation
  readonly tasks: readonly TaskDescription[]
}

/** Everything that is needed to run one attempt of one subtask; `job` is one object for all tasks of a submission. */
export interface TaskDeployment extends TaskDescription {
  readonly job: JobInformation
}

/** The job has come to its end and will not be restarted. */
export interface JobOver {
  /** Checkpoints up to this one stay, to be restored from; null: none does. */
  readonly retainedCheckpointId: number | null
}

export interface CheckpointTrigger {
  readonly checkpointId: number
  readonly timestamp: number
  /** False: a checkpoint. */
  readonly savepoint: false | SavepointTarget
}

/** Where a savepoint goes, and what its tasks do then. */
export interface SavepointTarget {
  /** URI of the folder that all tasks write into. */
  readonly folder: string
  /** Nothing is read, and no timer fires, after the barrier: the job ends when the savepoint is complete. */
  readonly suspend: boolean
}
