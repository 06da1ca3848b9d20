import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'

/** Writes one state file of a checkpoint. `close` gives its location; small content may come back inline. */
export interface BlobOutput {
  /** Bytes written so far. */
  readonly position: number
  write(bytes: Uint8Array): Promise<void>
  /** Durable when it resolves. */
  close(): Promise<StateLocation>
  /** Gives up: removes what was written. */
  discard(): Promise<void>
}

/** Gives up an output after an error, which says why: what cannot be removed goes with the folder of the checkpoint. */
export async function discardQuietly(output: BlobOutput): Promise<void> {
  try {
    await output.discard()
  } catch {
    // The first error says why the snapshot failed.
  }
}

/** Opens state files of one checkpoint of one attempt: names contain the attempt, so that a dead one does no harm. */
export interface CheckpointStreamFactory {
  /** Everything has to be written: nothing may be left to files of earlier checkpoints. */
  readonly selfContained?: boolean
  open(purpose: string): Promise<BlobOutput>
}

/**
 * Where checkpoints of one job live: `<dir>/<job-id>/chk-<n>/_metadata`, `shared/`, `taskowned/`. What goes wrong in the
 * storage of a running job rejects with `state.checkpoint-storage-failed`.
 */
export interface CheckpointStorage {
  /** Once, before the job starts: rejects with `state.checkpoint-directory-unusable` if nothing can be written. */
  prepare(): Promise<void>
  /** Used in slot threads. */
  streams(checkpointId: number, attempt: string): CheckpointStreamFactory
  read(location: StateLocation): Promise<Buffer>
  /** Reads a part: `[start, end)` in bytes. */
  readRange(location: StateLocation, start: number, end: number): Promise<Buffer>
  /** Makes the checkpoint durable: writes `_metadata` create-if-absent. Returns the pointer (path of the folder). */
  complete(metadata: CheckpointMetadata): Promise<string>
  readMetadata(pointer: string): Promise<CheckpointMetadata>
  /**
   * The checkpoint has been subsumed, but a later one refers to its files: they stay, and nobody takes what is left for
   * a checkpoint any more. Idempotent.
   */
  retire(checkpointId: number): Promise<void>
  /** Removes a checkpoint's folder; idempotent. */
  discard(checkpointId: number): Promise<void>
  /** Removes the job's folder if nothing is retained in it. */
  discardJob(): Promise<void>
}
