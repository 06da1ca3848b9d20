import type { OperatorId } from '@flink-ts/common'

/** Where the bytes of a state are: a file below the checkpoint storage, or inline when small. */
export type StateLocation =
  | { readonly type: 'file'; readonly path: string; readonly sizeBytes: number }
  | { readonly type: 'inline'; readonly base64: string }

/** A snapshot of all keyed states of one operator instance, with the offset of each key group in the file. */
export interface KeyedStateHandle {
  /** Inclusive. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  /** Byte offset of each key group of the range, in order; -1: empty. */
  readonly offsets: readonly number[]
  readonly location: StateLocation
}

/** How the elements of operator state come to the subtasks at a restart. */
export type OperatorStateMode = 'split' | 'union' | 'broadcast'

/** A snapshot of all list states of one operator instance. */
export interface OperatorStateHandle {
  readonly states: readonly {
    readonly name: string
    /** `broadcast`: the elements are the entries of a map that all subtasks have. */
    readonly mode: OperatorStateMode
    /** Byte offset of each element. */
    readonly offsets: readonly number[]
    /** A union list that the writer had restored but never used: all subtasks have the same elements. */
    readonly carried?: boolean
  }[]
  readonly location: StateLocation
}

/** Snapshot of one operator in one subtask. Plain data. */
export interface OperatorSubtaskState {
  readonly operatorId: OperatorId
  readonly keyed: readonly KeyedStateHandle[]
  readonly operator: readonly OperatorStateHandle[]
}

/** Snapshot of one task (a chain) in one subtask: what an acknowledgement carries. Plain data. */
export interface TaskStateSnapshot {
  readonly operators: readonly OperatorSubtaskState[]
}

/** All of one operator over all subtasks, as stored in `_metadata`. */
export interface OperatorState {
  readonly operatorId: OperatorId
  /** As in the job that took the snapshot, for messages. Absent in the oldest snapshots. */
  readonly name?: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly subtasks: readonly { readonly index: number; readonly state: OperatorSubtaskState }[]
  /** State of the operator's coordinator, as it encoded it. Absent: it has none. */
  readonly coordinator?: { readonly base64: string }
}

/** Content of `_metadata`. */
export interface CheckpointMetadata {
  readonly version: number
  readonly checkpointId: number
  readonly jobId: string
  readonly timestamp: number
  readonly operators: readonly OperatorState[]
}

/** Size of what a handle refers to, in bytes. */
export function locationSizeBytes(location: StateLocation): number {
  return location.type === 'file' ? location.sizeBytes : Buffer.byteLength(location.base64, 'base64')
}
