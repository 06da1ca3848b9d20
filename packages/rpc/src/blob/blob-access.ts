/**
 * Immutable content in the stores of other processes, by its digest. All calls can be repeated; those whose error
 * says `retry: backoff` should be.
 */
export interface BlobAccess {
  /**
   * Makes sure that the store at `address` has the content and answers its key, the SHA-256 in hex. Nothing is sent if
   * it is there already. Rejects with `rpc.connection-refused`, `rpc.blob-transfer-failed`, `rpc.blob-corrupt`.
   * @param content path of a file, or the bytes
   */
  put(address: string, content: string | Uint8Array): Promise<string>
  has(address: string, key: string): Promise<boolean>
  /**
   * Fetches a blob into `targetFile`, which appears whole and verified, or not at all; its folder is made. Rejects with
   * `rpc.blob-not-found`, `rpc.blob-corrupt`, `rpc.connection-refused`, `rpc.blob-transfer-failed`.
   */
  get(address: string, key: string, targetFile: string): Promise<void>
}

/** What a process keeps for others. Content is streamed: memory is bounded by a few parts of 256 KB. */
export interface BlobStore {
  has(key: string): Promise<boolean>
  /** Takes content in order; it is kept if its digest is `key`. Rejects with `rpc.blob-corrupt` otherwise. */
  put(key: string, parts: AsyncIterable<Uint8Array>): Promise<void>
  /** The content in order. Throws `rpc.blob-not-found`. */
  read(key: string): AsyncIterable<Uint8Array>
  /** Idempotent. */
  delete(key: string): Promise<void>
}

/** Size of the parts in which content travels. */
export const BLOB_PART_BYTES = 256 * 1024
