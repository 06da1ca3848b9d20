import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'
import { locationSizeBytes } from '../snapshot/state-handle.ts'
import type { CheckpointStorage, CheckpointStreamFactory } from '../storage/checkpoint-storage.ts'
import type { LocalCopies } from './local-copies.ts'

/** A checkpoint storage whose state files also have copies on this host. Without state of its own. */
export class LocallyCopiedStorage implements CheckpointStorage {
  readonly #storage: CheckpointStorage
  readonly #copies: LocalCopies
  readonly #use: { readonly write: boolean; readonly read: boolean }

  /** @param options whether copies are made, and used */
  constructor(
    options: { readonly write: boolean; readonly read: boolean },
    dependencies: { readonly storage: CheckpointStorage; readonly copies: LocalCopies },
  ) {
    this.#use = options
    this.#storage = dependencies.storage
    this.#copies = dependencies.copies
  }

  streams(checkpointId: number, attempt: string): CheckpointStreamFactory {
    const streams = this.#storage.streams(checkpointId, attempt)
    if (!this.#use.write) return streams
    return {
      ...streams,
      open: async purpose => this.#copies.output(checkpointId, await streams.open(purpose)),
    }
  }

  async read(location: StateLocation): Promise<Buffer> {
    const copy = this.#use.read
      ? await this.#copies.readRange(location, 0, locationSizeBytes(location))
      : undefined
    return copy ?? this.#storage.read(location)
  }

  async readRange(location: StateLocation, start: number, end: number): Promise<Buffer> {
    const copy = this.#use.read ? await this.#copies.readRange(location, start, end) : undefined
    return copy ?? this.#storage.readRange(location, start, end)
  }

  prepare(): Promise<void> {
    return this.#storage.prepare()
  }

  complete(metadata: CheckpointMetadata): Promise<string> {
    return this.#storage.complete(metadata)
  }

  readMetadata(pointer: string): Promise<CheckpointMetadata> {
    return this.#storage.readMetadata(pointer)
  }

  retire(checkpointId: number): Promise<void> {
    return this.#storage.retire(checkpointId)
  }

  discard(checkpointId: number): Promise<void> {
    return this.#storage.discard(checkpointId)
  }

  discardJob(): Promise<void> {
    return this.#storage.discardJob()
  }
}
