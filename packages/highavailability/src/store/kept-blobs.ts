import type { BlobStore } from '@flink-ts/rpc'

/** Blobs of this process, and those that are kept for longer, which are fetched when somebody asks. */
export class KeptBlobs implements BlobStore {
  readonly #own: BlobStore
  /** Owner: main thread. */
  readonly #kept = new Map<string, () => AsyncIterable<Uint8Array>>()

  constructor(own: BlobStore) {
    this.#own = own
  }

  /** @param read its content, as often as it is asked for */
  keep(key: string, read: () => AsyncIterable<Uint8Array>): void {
    this.#kept.set(key, read)
  }

  async has(key: string): Promise<boolean> {
    return this.#kept.has(key) || (await this.#own.has(key))
  }

  put(key: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#own.put(key, parts)
  }

  async *read(key: string): AsyncIterable<Uint8Array> {
    const kept = this.#kept.get(key)
    // Verified on its way.
    if (kept !== undefined && !(await this.#own.has(key))) await this.#own.put(key, kept())
    yield* this.#own.read(key)
  }
}
