// Answers of the REST API, with Flink's names, as far as the page reads them.

/** GET /config */
export interface DashboardConfiguration {
  readonly 'refresh-interval': number
  readonly 'flink-version': string
  readonly features: Readonly<Partial<Record<'web-submit' | 'web-cancel' | 'web-history', boolean>>>
}

/** GET /overview */
export interface ClusterOverview {
  readonly taskmanagers: number
  readonly 'slots-total': number
  readonly 'slots-available': number
  readonly 'jobs-running': number
  readonly 'jobs-finished': number
  readonly 'jobs-cancelled': number
  readonly 'jobs-failed': number
  readonly 'flink-version': string
}

/** One of GET /jobs/overview */
export interface JobSummary {
  readonly jid: string
  readonly name: string
  readonly state: string
  readonly 'start-time': number
  readonly 'end-time': number
  readonly duration: number
  readonly tasks: Readonly<Record<string, number>>
}

/** Counters of a vertex or subtask. */
export interface IoMetrics {
  readonly 'read-bytes': number
  readonly 'write-bytes': number
  readonly 'read-records': number
  readonly 'write-records': number
  readonly 'accumulated-backpressured-time': number
  readonly 'accumulated-idle-time': number
  readonly 'accumulated-busy-time': number
}

/** One of `vertices` of GET /jobs/:id */
export interface Vertex {
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly status: string
  readonly 'start-time': number
  readonly 'end-time': number
  readonly duration: number
  readonly tasks: Readonly<Record<string, number>>
  readonly metrics: IoMetrics
}

/** One of the nodes of a plan */
export interface PlanNode {
  readonly id: string
  readonly description: string
  readonly parallelism: number
  readonly inputs?: readonly { readonly id: string; readonly ship_strategy: string }[]
}

/** GET /jobs/:id */
export interface Job {
  readonly jid: string
  readonly name: string
  readonly state: string
  readonly 'start-time': number
  readonly 'end-time': number
  readonly duration: number
  readonly maxParallelism: number
  readonly now: number
  readonly timestamps: Readonly<Record<string, number>>
  readonly vertices: readonly Vertex[]
  readonly plan: { readonly nodes: readonly PlanNode[] }
}

/** One of `subtasks` of GET /jobs/:id/vertices/:id */
export interface Subtask {
  readonly subtask: number
  readonly attempt: number
  readonly status: string
  readonly endpoint?: string
  readonly host?: string
  readonly 'taskmanager-id'?: string
  readonly 'start-time': number
  readonly 'end-time': number
  readonly duration: number
  readonly metrics: IoMetrics
}

/** Least, greatest and so on of a number. */
interface Summary {
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly p50?: number
  readonly p90?: number
  readonly p95?: number
  readonly p99?: number
  readonly p999?: number
}

/** One of `history` of GET /jobs/:id/checkpoints */
export interface Checkpoint {
  readonly id: number
  readonly status: string
  readonly is_savepoint: boolean
  readonly trigger_timestamp: number
  readonly latest_ack_timestamp: number
  readonly checkpointed_size?: number
  readonly state_size: number
  readonly end_to_end_duration: number
  readonly processed_data?: number
  readonly persisted_data?: number
  readonly num_subtasks: number
  readonly num_acknowledged_subtasks: number
  readonly checkpoint_type: string
  readonly tasks: Readonly<Record<string, CheckpointOfVertex>>
  readonly external_path?: string
  readonly discarded?: boolean
  readonly failure_timestamp?: number
  readonly failure_message?: string
}

/** What a checkpoint is for one vertex. */
interface CheckpointOfVertex {
  /** Of the checkpoint, as in Flink. */
  readonly id: number
  readonly latest_ack_timestamp: number
  readonly checkpointed_size?: number
  readonly state_size: number
  readonly end_to_end_duration: number
  readonly num_subtasks: number
  readonly num_acknowledged_subtasks: number
}

/** One of `subtasks` of GET /jobs/:id/checkpoints/details/:id/subtasks/:vertex */
export interface CheckpointOfSubtask {
  readonly index: number
  readonly status: string
  readonly ack_timestamp?: number
  readonly end_to_end_duration?: number
  readonly checkpointed_size?: number
  readonly state_size?: number
  readonly checkpoint?: { readonly sync: number; readonly async: number }
  readonly alignment?: { readonly duration: number; readonly persisted?: number }
  readonly start_delay?: number
  readonly unaligned_checkpoint?: boolean
}

/** GET /jobs/:id/checkpoints */
export interface Checkpoints {
  readonly counts: Readonly<Record<'restored' | 'total' | 'in_progress' | 'completed' | 'failed', number>>
  readonly summary: Readonly<Record<string, Summary>>
  readonly latest: {
    readonly completed: Checkpoint | null
    readonly savepoint: Checkpoint | null
    readonly failed: Checkpoint | null
    readonly restored: {
      readonly id: number
      readonly restore_timestamp: number
      readonly is_savepoint: boolean
      readonly external_path?: string
    } | null
  }
  readonly history: readonly Checkpoint[]
}

/** One failure of GET /jobs/:id/exceptions */
export interface Failure {
  readonly exceptionName: string
  readonly stacktrace: string
  readonly timestamp: number
  readonly failureLabels?: Readonly<Record<string, string>>
  readonly taskName?: string | null
  readonly endpoint?: string | null
  readonly taskManagerId?: string | null
  readonly concurrentExceptions?: readonly Failure[]
}

/** GET /jobs/:id/exceptions */
export interface Exceptions {
  readonly 'root-exception'?: string | null
  readonly exceptionHistory: { readonly entries: readonly Failure[]; readonly truncated: boolean }
}

/** One of GET /taskmanagers */
export interface TaskManager {
  readonly id: string
  readonly path: string
  readonly dataPort: number
  readonly timeSinceLastHeartbeat: number
  readonly slotsNumber: number
  readonly freeSlots: number
  readonly hardware: Readonly<Record<string, number>>
  readonly memoryConfiguration?: Readonly<Record<string, number>>
  readonly metrics?: Readonly<Record<string, unknown>>
  readonly allocatedSlots?: readonly { readonly jobId: string }[]
}

/** A measured value; absent where only names were asked for. */
export interface Metric {
  readonly id: string
  readonly value?: string
}
