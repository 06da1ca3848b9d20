import type { JobId, JobVertexId, OperatorId } from '@flink-ts/common'
import type { CachedFile } from './cached-file.ts'
import type { RestartStrategy } from './restart-strategy.ts'

/** How the records of an edge are spread over the consuming subtasks. */
export type Partitioning =
  | 'forward'
  | 'rebalance'
  | 'rescale'
  | 'shuffle'
  | 'broadcast'
  | 'global'
  | 'hash'
  | 'custom'

/** One operator inside a chain. Plain data: its functions come from the replay of the program, by `nodeId`. */
export interface JobOperator {
  /** Replay index: position of the transformation in the StreamGraph. Counted from 1 in order of creation. */
  readonly nodeId: number
  /** State id: from uid, else name, else path in the graph (DESIGN 3.6). */
  readonly operatorId: OperatorId
  readonly uid: string | undefined
  readonly name: string
  /** `source`, `map`, `filter`, `keyed-process`, ..., `sink`: for plans and messages. */
  readonly kind: string
  /** It has a coordinator, which runs in the job host. Absent: it has none. */
  readonly coordinated?: boolean
  /** nodeIds of the operators of the same chain that this one feeds by direct call. */
  readonly chainedOutputs: readonly number[]
}

/** A chain of operators that runs as one task in each of `parallelism` subtasks. */
export interface JobVertex {
  readonly id: JobVertexId
  /** Names of the chained operators, joined with ` -> `. */
  readonly name: string
  readonly parallelism: number
  /** Number of key groups. */
  readonly maxParallelism: number
  readonly slotSharingGroup: string
  /** In topological order; the first is the head, which reads the vertex's inputs or is a source. */
  readonly operators: readonly JobOperator[]
}

/** A stream between two vertices. */
export interface JobEdge {
  /** Position in {@link JobGraph.edges}; names the edge on both sides. */
  readonly edgeId: number
  readonly source: JobVertexId
  /** The operator in the source's chain that emits. */
  readonly sourceNodeId: number
  /** Side output tag, if the edge carries a side output. */
  readonly outputTag: string | undefined
  readonly target: JobVertexId
  /** 0 for one-input heads; 0 or 1 for two-input heads. Several edges may feed the same index (union). */
  readonly targetInput: number
  readonly partitioning: Partitioning
}

export interface CheckpointSettings {
  /** Milliseconds between triggers; undefined: no periodic checkpoints. */
  readonly intervalMs: number | undefined
  readonly mode: 'exactly-once' | 'at-least-once'
  /**
   * Exactly-once checkpoints that do not wait until records on their way are processed: they make them part of the
   * checkpoint once the alignment has lasted for so long. Absent: barriers are always waited for.
   */
  readonly unaligned?: { readonly alignedTimeoutMs: number } | undefined
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly maxConcurrent: number
  /** Consecutive failures that are tolerated before the job fails. */
  readonly tolerableFailures: number
  /** Base directory as URI (`file:///...`); undefined: `execution.checkpointing.dir` of the cluster. */
  readonly directory: string | undefined
  readonly retained: number
  readonly externalizedRetention:
    | 'retain-on-cancellation'
    | 'delete-on-cancellation'
    | 'no-externalized-checkpoints'
}

/** Snapshot that a job starts from. */
export interface RestoreSettings {
  /** Folder of a checkpoint or savepoint, or `latest`: the newest one of a job of this name. */
  readonly path: string
  /** State that no operator of the job takes over is dropped instead of refusing the job. */
  readonly allowNonRestoredState: boolean
  /**
   * `claim`: the snapshot is the job's own from now on, and removed when newer ones take its place. `no-claim`, and
   * `legacy`, an older name for it: it stays as it is.
   */
  readonly claimMode: 'no-claim' | 'claim' | 'legacy'
}

/** A job as it travels from the client to the Dispatcher: plain data, no functions. */
export interface JobGraph {
  readonly jobId: JobId
  readonly name: string
  readonly vertices: readonly JobVertex[]
  readonly edges: readonly JobEdge[]
  /** Of the topology (operators, kinds, edges, partitionings): equal after each replay (DESIGN 3.5). */
  readonly fingerprint: string
  /** One line an operator, in order of nodeId: to name the first difference when fingerprints differ. */
  readonly fingerprintLines: readonly string[]
  /** BATCH: of bounded inputs, with final results only, without checkpoints. Absent: STREAMING. */
  readonly jobType?: 'BATCH' | undefined
  readonly checkpointing: CheckpointSettings
  /** How state is kept and stored, where the job sets it itself; the rest is as the cluster is configured. */
  readonly state?: {
    /** Name or module of the state backend. */
    readonly backend?: string
    readonly compression?: 'none' | 'zstd'
    readonly incremental?: boolean
    readonly localCopies?: { readonly write: boolean; readonly read: boolean }
  }
  /** Snapshot to start from: path of a checkpoint or savepoint folder. */
  readonly restoreFrom: RestoreSettings | undefined
  /** Undefined: the cluster's default. */
  readonly restartStrategy: RestartStrategy | undefined
  /** Milliseconds between periodic watermarks. */
  readonly autoWatermarkIntervalMs: number
  /** Milliseconds after which a started batch is sent; 0 after each record, -1 only when full. */
  readonly bufferTimeoutMs: number
  /** Files that each TaskManager copies for the functions of the job. Absent: none. */
  readonly cachedFiles?: readonly CachedFile[]
  /** Shown to users; not interpreted. */
  readonly globalJobParameters: Readonly<Record<string, string>>
}
