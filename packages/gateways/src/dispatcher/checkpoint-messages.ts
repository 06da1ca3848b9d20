/** Numbers of checkpoints of a job so far. */
export interface CheckpointTotals {
  readonly triggered: number
  readonly completed: number
  readonly failed: number
  readonly inProgress: number
  readonly restored: number
}

/** The part of one subtask in a checkpoint. */
export interface SubtaskCheckpoint {
  readonly index: number
  /** Milliseconds since the epoch. */
  readonly acknowledgedAt: number
  readonly stateBytes: number
  /** Of it what was written for this checkpoint. */
  readonly writtenBytes: number
  /** Of records on their way, in an unaligned checkpoint. */
  readonly persistedBytes: number
  /** Taken from channels without a barrier during the alignment. Absent in what earlier versions kept. */
  readonly processedBytes?: number
  /** Waiting on channels with a barrier at its end. */
  readonly bufferedBytes?: number
  readonly syncMs: number
  readonly asyncMs: number
  readonly alignmentMs: number
  readonly startDelayMs: number
  readonly unaligned: boolean
}

/** The part of one vertex in a checkpoint. */
export interface VertexCheckpoint {
  readonly vertexId: string
  readonly parallelism: number
  /** Of those that have acknowledged, in order of their index. */
  readonly subtasks: readonly SubtaskCheckpoint[]
}

/** One checkpoint or savepoint, from its trigger on. */
export interface CheckpointRecord {
  readonly id: number
  readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  /** `stop`: the savepoint that the job ends with. */
  readonly kind: 'checkpoint' | 'savepoint' | 'stop'
  /** Milliseconds since the epoch. */
  readonly triggeredAt: number
  /** -1: nobody has acknowledged. */
  readonly latestAckAt: number
  /** From the trigger to its end, or to now. */
  readonly durationMs: number
  readonly stateBytes: number
  /** Of it what was written for this checkpoint. */
  readonly writtenBytes: number
  readonly vertices: readonly VertexCheckpoint[]
  /** URI of its folder, once it is complete. */
  readonly pointer?: string
  /** Complete, but removed since. */
  readonly discarded?: boolean
  readonly failure?: { readonly timestamp: number; readonly message: string }
}

/** The snapshot that a job or a part of it was started from last. */
export interface RestoredRecord {
  readonly id: number
  /** When the job was started from it, milliseconds since the epoch. */
  readonly timestamp: number
  readonly savepoint: boolean
  readonly pointer: string
  /** The job that took it. */
  readonly jobId: string
  /** When it was taken, milliseconds since the epoch. */
  readonly takenAt: number
}

/** Least, most and distribution of a number. */
export interface Summary {
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
}

/** What is known of the checkpoints of a job. */
export interface CheckpointStatistics {
  readonly totals: CheckpointTotals
  /** The latest ones, newest first: `web.checkpoints.history` of them. */
  readonly history: readonly CheckpointRecord[]
  readonly latest: {
    readonly completed: CheckpointRecord | undefined
    readonly savepoint: CheckpointRecord | undefined
    readonly failed: CheckpointRecord | undefined
    readonly restored: RestoredRecord | undefined
  }
  /** Over the latest completed ones. */
  readonly summary: {
    readonly stateBytes: Summary
    readonly writtenBytes: Summary
    readonly durationMs: Summary
    readonly persistedBytes: Summary
    readonly processedBytes?: Summary
    readonly bufferedBytes?: Summary
  }
}
