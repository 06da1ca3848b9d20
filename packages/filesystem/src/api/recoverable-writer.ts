/** A file that is complete, durable and not yet visible under its name. Plain data, kept in state. */
export interface PendingFile {
  readonly inProgressUri: string
  readonly finalUri: string
  readonly sizeBytes: number
  /** On object stores: the upload that makes the file when it is completed, and the ETags of its parts in order. */
  readonly upload?: { readonly id: string; readonly parts: readonly string[] }
}

/** A file that is written now and becomes visible by a commit. Calls must not overlap. */
export interface RecoverableOutput {
  /** Bytes written so far. */
  readonly position: number
  /** The caller may use `bytes` again when it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** Durable when it resolves; to be committed by any process, even if this one is gone. */
  closeForCommit(): Promise<PendingFile>
  /** Gives up: removes what was written. Idempotent; nothing after `closeForCommit`. */
  abort(): Promise<void>
}

/**
 * Files in two steps: written under a name of their own, then committed to their final name, exactly once. While a file
 * is not committed, something is listed under its in-progress name, so that what a dead writer left can be found: the
 * file itself, or on object stores a small object that names it.
 */
export interface RecoverableWriter {
  /** Both names are the writer's alone, and in the same folder. */
  open(inProgressUri: string, finalUri: string): Promise<RecoverableOutput>
  /** Idempotent, also when two do it at the same time. Throws `filesystem.pending-file-lost`. */
  commit(file: PendingFile): Promise<void>
  /** Removes what is under an in-progress name and will never be committed, with all that belongs to it. Idempotent. */
  discard(inProgressUri: string): Promise<void>
}
