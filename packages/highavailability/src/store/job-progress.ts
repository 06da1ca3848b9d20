/** A completed checkpoint as it is recorded; what is in it is in its own metadata. */
export interface RecordedCheckpoint {
  readonly id: number
  /** URI of its folder. */
  readonly pointer: string
  /** For each subtask in the folder of which checkpoint its files are. */
  readonly origins: readonly (readonly [string, number])[]
  readonly stateBytes: number
  readonly durationMs: number
  /** A savepoint: its folder is the user's. */
  readonly external: boolean
}

/** A folder of snapshots that is to be removed. */
export interface RecordedFolder {
  readonly checkpointId: number
  /** URI of the folder, if it is a savepoint. */
  readonly savepoint?: string
}

/** How far a running job has come: all that its next JobMaster needs besides the job itself. */
export interface JobProgress {
  /** When the job began under its first leader, milliseconds since the epoch. Absent: an older version wrote this. */
  readonly startedAt?: number
  /** Retained ones, oldest first: the job goes on from the last. */
  readonly checkpoints: readonly RecordedCheckpoint[]
  /** Ids of subsumed checkpoints whose folders are still referred to. */
  readonly referred: readonly number[]
  /** Subsumed by the last checkpoint; maybe not removed yet. */
  readonly discarded: readonly RecordedFolder[]
  /** The snapshot that the job started from, if it is the job's to remove. */
  readonly claimed: RecordedFolder | undefined
  readonly latestSavepointId: number | undefined
  /**
   * Ids, from and below, that earlier leaders may have used beyond what they recorded: nobody needs those folders, and a
   * leader that thaws late may still write there.
   */
  readonly abandoned: readonly (readonly [number, number])[]
  /** The first id of this leader. */
  readonly idsFrom: number
  /** No id from this one on was used in a way that a later leader must know of; it begins here. */
  readonly idsBelow: number
}

/** What is to be removed of a job that is over. */
export interface JobLeftovers {
  /** Base URI of the checkpoints of all jobs; undefined: the job took none. */
  readonly directory: string | undefined
  /** Besides what is not complete in the job's own folder. */
  readonly folders: readonly RecordedFolder[]
}

/** What is known of a job. The record of the highest epoch counts. */
export type JobRecord =
  /** Undefined progress: it was accepted, and no JobMaster has begun. */
  | { readonly status: 'running'; readonly progress: JobProgress | undefined }
  | {
      readonly status: 'over'
      /** Milliseconds since the epoch. */
      readonly endedAt: number
      /** What the Dispatcher remembers of a finished job. */
      readonly outcome: unknown
      /** Undefined: everything is removed. */
      readonly leftovers: JobLeftovers | undefined
    }
