import type { RecoverableWriter } from './recoverable-writer.ts'

/** A file being written. Calls must not overlap: await each before the next. */
export interface FileOutput {
  /** Bytes written so far. */
  readonly position: number
  /** The caller may use `bytes` again when it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * What was written so far survives a crash of this process and of the machine; on object stores only together with
   * {@link close}.
   */
  sync(): Promise<void>
  /** Ends the file. On object stores it comes into being here: whole, or not at all. */
  close(): Promise<void>
  /** Gives up instead of {@link close}: what was written is removed. Idempotent; nothing after `close`. */
  abort(): Promise<void>
}

/** A file open for reading at any position. Reads may overlap. */
export interface FileInput {
  readonly sizeBytes: number
  /** Bytes `[offset, offset + length)`, fewer at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

/** What a file system says of one file or folder. */
export interface FileStatus {
  /** Absolute URI. */
  readonly uri: string
  readonly sizeBytes: number
  readonly isDirectory: boolean
  /** Milliseconds since the epoch; 0 where the storage has none for folders. */
  readonly modifiedAt: number
}

/**
 * One scheme of storage. Paths are absolute URIs (`file:///a/b`). Errors: `filesystem.not-found`,
 * `filesystem.already-exists`, `filesystem.access-denied`, `filesystem.wrong-file-type`, `filesystem.invalid-uri`,
 * `filesystem.misconfigured`, `filesystem.io` (retry: backoff).
 */
export interface FileSystem {
  readonly scheme: string
  /**
   * Opens a new file; missing folders are made. `mode` create: fails if it exists, on object stores when it is closed.
   */
  create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput>
  open(uri: string): Promise<FileInput>
  readFile(uri: string): Promise<Buffer>
  /**
   * Writes a whole file so that readers see all of it or nothing; durable when it resolves. `create`: of several
   * writers one wins, the others get `filesystem.already-exists`.
   */
  writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void>
  status(uri: string): Promise<FileStatus | undefined>
  /**
   * Replaces an existing target file. Atomic, except on object stores: there a file is copied, and the source removed
   * after it, and folders can't be renamed.
   */
  rename(from: string, to: string): Promise<void>
  /** Idempotent: nothing there is no error. Without `recursive`, a folder must be empty. */
  delete(uri: string, options?: { recursive?: boolean }): Promise<void>
  /** Direct children, sorted by name; empty if the folder does not exist. */
  list(uri: string): Promise<readonly FileStatus[]>
  makeDirectory(uri: string): Promise<void>
  /** Files that are written now and get their names later. */
  recoverableWriter(): RecoverableWriter
}
