/** A file being written. Calls must not overlap: await each before the next. */
export interface FileOutput {
  /** Bytes written so far. */
  readonly position: number
  write(bytes: Uint8Array): Promise<void>
  /** What was written so far survives a crash of this process and of the machine. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A file open for reading at any position. */
export interface FileInput {
  readonly sizeBytes: number
  /** Bytes `[offset, offset + length)`, fewer at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

export interface FileStatus {
  /** Absolute URI. */
  readonly uri: string
  readonly sizeBytes: number
  readonly isDirectory: boolean
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/**
 * One scheme of storage. Paths are absolute URIs (`file:///a/b`). Errors: `filesystem.not-found`,
 * `filesystem.already-exists`, `filesystem.access-denied`, `filesystem.wrong-file-type`, `filesystem.invalid-uri`,
 * `filesystem.io` (retry: backoff), and of `append` `filesystem.file-too-short`.
 */
export interface FileSystem {
  readonly scheme: string
  /** Opens a new file; missing folders are made. `mode` create: fails if it exists. */
  create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput>
  /** Opens an existing file to go on after its first `keepBytes` bytes; what comes after them is cut off. */
  append(uri: string, keepBytes: number): Promise<FileOutput>
  open(uri: string): Promise<FileInput>
  readFile(uri: string): Promise<Buffer>
  /** Writes a whole file so that readers see all of it or nothing. */
  writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void>
  status(uri: string): Promise<FileStatus | undefined>
  /** Atomic. Replaces an existing target file. */
  rename(from: string, to: string): Promise<void>
  /** Idempotent: nothing there is no error. */
  delete(uri: string, options?: { recursive?: boolean }): Promise<void>
  /** Direct children, sorted by name; empty if the folder does not exist. */
  list(uri: string): Promise<readonly FileStatus[]>
  makeDirectory(uri: string): Promise<void>
}
