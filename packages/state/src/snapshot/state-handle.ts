import type { OperatorId } from '@flink-ts/common'
import type { StateType } from '../api/state-type.ts'

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
  /** Types of values (of elements, in lists and maps) by name of the state, as far as they were looked at. */
  readonly types?: Readonly<Record<string, StateType>>
  /**
   * Follows the handles before it of the same subtask: `removals` takes keys away, `changes` adds or replaces values.
   * Absent: has everything itself.
   */
  readonly delta?: 'removals' | 'changes'
  /** A later handle has the timers. */
  readonly timersLater?: true
  /** The checkpoint whose folder has the file; absent: the one that the handle belongs to. */
  readonly origin?: number
  /**
   * A file of a RocksDB store, of this name and checksum: part of the snapshot that the next handle of the same subtask
   * with `storeFiles` stands for. Says nothing by itself.
   */
  readonly storeFile?: { readonly name: string; readonly crc: number }
  /** So many handles before this one are the files of a store that has all but the timers, which are in its own file. */
  readonly storeFiles?: number
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
    /** Of the elements, as far as they were looked at; of broadcast maps `[key, value]`. */
    readonly type?: StateType
  }[]
  readonly location: StateLocation
}

/** One batch of records that were on their way. */
export interface ChannelBatch {
  /** In the file. */
  readonly offset: number
  readonly sizeBytes: number
  /** Records at its beginning that had been processed. */
  readonly skip: number
  readonly crc: number
}

/** Records that were on their way to one input of an operator from one other operator, over all channels between them. */
export interface ChannelRecords {
  /** Input of the operator, 0 or 1. */
  readonly input: number
  /** The operator that sent them; with `outputTag`, to a side output. */
  readonly source: OperatorId
  readonly outputTag?: string
  /** Those of one channel in order. */
  readonly batches: readonly ChannelBatch[]
}

/**
 * Records that were on their way to one subtask of an operator when its snapshot was taken: behind what is in its state,
 * before the barrier (unaligned checkpoints). They are processed before all others after a restore.
 */
export interface ChannelStateHandle {
  /** The subtask that took the snapshot, and out of how many. */
  readonly subtask: number
  readonly parallelism: number
  readonly channels: readonly ChannelRecords[]
  readonly location: StateLocation
}

/** Snapshot of one operator in one subtask. Plain data. */
export interface OperatorSubtaskState {
  readonly operatorId: OperatorId
  readonly keyed: readonly KeyedStateHandle[]
  readonly operator: readonly OperatorStateHandle[]
  /** Of the first operator of a chain. */
  readonly inputs?: readonly ChannelStateHandle[]
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
  /** That the program gave it; absent: none. */
  readonly uid?: string
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
  /** Absent in the oldest snapshots. */
  readonly jobName?: string | undefined
  /** Absent: a checkpoint. */
  readonly kind?: 'savepoint' | undefined
  /** Its job was drained: what started from it would find its input ended. Absent: no. */
  readonly drained?: true | undefined
  readonly timestamp: number
  readonly operators: readonly OperatorState[]
}

/** Size of what a handle refers to, in bytes. */
export function locationSizeBytes(location: StateLocation): number {
  return location.type === 'file' ? location.sizeBytes : Buffer.byteLength(location.base64, 'base64')
}
