import { FileNotFound } from '@flink-ts/filesystem'
import type { BlobStore } from '@flink-ts/rpc'

type Source = () => AsyncIterable<Uint8Array>

/**
 * Blobs of this process, and those that are kept for longer: they become its own when somebody asks. A job takes those
 * that were kept for it along when it ends; so what is there is known only by fetching it.
 */
export class KeptBlobs implements BlobStore {
  readonly #own: BlobStore
  /** Several jobs may have kept the same. Owner: main thread. */
  readonly #kept = new Map<string, readonly Source[]>()

  constructor(own: BlobStore) {
    this.#own = own
  }

  /** @param source its content; throws `filesystem.not-found` if it is kept no more */
  keep(key: string, source: Source): void {
    this.#kept.set(key, [...(this.#kept.get(key) ?? []), source])
  }

  async has(key: string): Promise<boolean> {
    if (await this.#own.has(key)) return true
    for (const source of this.#kept.get(key) ?? []) {
      try {
        // Verified on its way.
        await this.#own.put(key, source())
        return true
      } catch (error) {
        if (!FileNotFound.is(error)) throw error
        const others = (this.#kept.get(key) ?? []).filter(other => other !== source)
        this.#kept.set(key, others)
      }
    }
    this.#kept.delete(key)
    return false
  }

  put(key: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#own.put(key, parts)
  }

  /** Also from what is kept for longer: whoever keeps it removes it there. */
  async delete(key: string): Promise<void> {
    this.#kept.delete(key)
    await this.#own.delete(key)
  }

  async *read(key: string): AsyncIterable<Uint8Array> {
    await this.has(key)
    yield* this.#own.read(key)
  }
}
