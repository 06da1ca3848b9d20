import type { JobId } from '@flink-ts/common'
import type { StackNode } from './stack-tree.ts'

/** The tasks of a vertex at a TaskManager, or one of them. */
export interface TaskSelection {
  readonly jobId: JobId
  readonly vertexId: string
  /** Undefined: all. */
  readonly subtaskIndex?: number | undefined
}

/** A look into running tasks. Nothing is measured before somebody looks, and nothing after. */
export type TaskInspection =
  /** Answer: a {@link TaskProfile}. */
  | (TaskSelection & {
      readonly type: 'profile-tasks'
      readonly durationMs: number
      /** Innermost frames beyond so many are left out. */
      readonly stackDepth: number
    })
  /** Answer: {@link TapAnswer}s. */
  | (TaskSelection & { readonly type: 'tap-tasks'; readonly tap: TapRequest })

/** Where the threads of tasks were found, in samples of about a millisecond. */
export interface TaskProfile {
  /** In calls of these tasks. */
  readonly onCpu: StackNode
  /** Why they did not run. */
  readonly offCpu: StackNode
}

/** What is to be seen of the records that come into a task. */
export interface TapRequest {
  /** `keys`: how records are spread over keys. */
  readonly what: 'records' | 'keys'
  /** It ends at the latest after this time. */
  readonly durationMs: number
  /** Records, spread over the time, or keys. */
  readonly limit: number
  /** Of the texts of records. */
  readonly limitBytes: number
  /** Only what comes from this vertex. */
  readonly from?: string | undefined
}

/** One record as it came into a task. */
export interface TappedRecord {
  readonly subtaskIndex: number
  /** Who sent it: `Source: orders (1/2)`. */
  readonly sender: string
  /** Milliseconds since the epoch; null: it has none. */
  readonly timestamp: number | null
  readonly takenAt: number
  /** As `util.inspect` shows it. */
  readonly text: string
}

/** How many records had a key, about. */
export interface KeyCount {
  readonly key: string
  readonly keyGroup: number
  readonly count: number
}

/** What was seen at one task. */
export interface TapAnswer {
  readonly subtaskIndex: number
  /** Records that came meanwhile. */
  readonly seen: number
  readonly durationMs: number
  readonly records: readonly TappedRecord[]
  /** Undefined: not asked for, or the input of the task has no keys. */
  readonly keys?: {
    /** The most frequent ones. Where there are many keys, rare ones may be told too often, never too seldom. */
    readonly most: readonly KeyCount[]
    /** Records by key group: those that had any. */
    readonly groups: readonly (readonly [group: number, count: number])[]
    readonly maxParallelism: number
  }
}
