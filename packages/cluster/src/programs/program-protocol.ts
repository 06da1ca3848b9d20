import type { SerializedError } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'

/** What the process that plans an uploaded program is told, in its first message. */
export interface ProgramRequest {
  /** `run`: submits the first job of the program. */
  readonly type: 'plan' | 'run'
  readonly bundleFile: string
  readonly args: readonly string[]
  /** That of the cluster, with what the user set for this run. */
  readonly configuration: Readonly<Record<string, string>>
  /** Of the JobManager; the configuration says where the leader is, if one is elected. */
  readonly jobManagerAddress: string
  /** Undefined: a new one. */
  readonly jobId: string | undefined
}

/** Its answer: its last message. */
export type ProgramAnswer =
  | { readonly type: 'planned'; readonly graph: JobGraph }
  | { readonly type: 'submitted'; readonly jobId: string }
  | { readonly type: 'failed'; readonly error: SerializedError }
