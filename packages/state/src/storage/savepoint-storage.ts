import type { StateReader } from '../snapshot/read-key-groups.ts'
import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from './checkpoint-storage.ts'

/** A snapshot that was found. */
export interface FoundSnapshot {
  /** URI of its folder. */
  readonly pointer: string
  readonly metadata: CheckpointMetadata
}

/**
 * Savepoints: folders of their own that hold all they need, wherever the user wants them, and may be moved or copied.
 * Also reads any snapshot by its path. Without state of its own; any thread.
 */
export interface SavepointStorage extends StateReader {
  /**
   * A name that nobody uses, `<directory>/savepoint-<first 6 of the job id>-<12 hex>`, in a directory that can be
   * written to. Rejects with `state.savepoint-directory-unusable`.
   */
  newFolder(directory: string, jobId: string): Promise<string>
  /** Used in slot threads. */
  streams(folder: string, attempt: string): CheckpointStreamFactory
  /** Makes the savepoint durable; copies state files of others into it. Returns what is stored. */
  complete(folder: string, metadata: CheckpointMetadata): Promise<FoundSnapshot>
  /**
   * Removes the folder of a snapshot, whatever is in it, but for files that other complete checkpoints of its job refer
   * to; idempotent. Rejects if one of those can't be read.
   */
  discard(pointer: string): Promise<void>
  /**
   * Removes a complete savepoint for its user: `_metadata` first, then the files that it names, then the folder, if
   * nothing else is in it. Files that other complete checkpoints of its job refer to stay. Rejects with `state.checkpoint-not-found`, `state.not-a-checkpoint`.
   */
  dispose(pointer: string): Promise<void>
  /** @param pointer folder of a checkpoint or savepoint, or its `_metadata`, as URI or path */
  readMetadata(pointer: string): Promise<CheckpointMetadata>
  /** The newest readable snapshot of a job of that name below these directories; those that cannot be read are skipped. */
  findLatest(directories: readonly string[], jobName: string): Promise<FoundSnapshot | undefined>
  read(location: StateLocation): Promise<Buffer>
}
