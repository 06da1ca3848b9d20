import { inspect } from 'node:util'
import { createValueSerializer, hashKey } from '@flink-ts/serialization'
import type { Key } from '../api/keyed-state-backend.ts'
import {
  type BlobOutput,
  type CheckpointStreamFactory,
  discardQuietly,
} from '../storage/checkpoint-storage.ts'
import { KeyGroupWriter } from './key-group-writer.ts'
import { encodeHeader, encodeNamespace, type KeyedSnapshotHeader } from './keyed-format.ts'
import type { KeyedStateHandle } from './state-handle.ts'

/**
 * A file of keyed state, for backends of one's own: entries in any order, then {@link KeyedSnapshotFile.close}. What the
 * values of each kind of state are is said in `keyed-format.ts`: of maps an entry for each `[key, value]`, of lists an
 * entry for each piece `[index, elements]`. One owner; calls must not overlap.
 */
export class KeyedSnapshotFile {
  readonly #header: KeyedSnapshotHeader
  readonly #output: BlobOutput
  readonly #writer: KeyGroupWriter
  readonly #serializer = createValueSerializer()

  private constructor(header: KeyedSnapshotHeader, output: BlobOutput) {
    this.#header = header
    this.#output = output
    const { keyGroupRange, maxParallelism, compression = 'none' } = header
    this.#writer = new KeyGroupWriter({ keyGroupRange, maxParallelism, compression })
  }

  static async open(
    header: KeyedSnapshotHeader,
    streams: CheckpointStreamFactory,
  ): Promise<KeyedSnapshotFile> {
    const output = await streams.open('keyed')
    const file = new KeyedSnapshotFile(header, output)
    await file.#orDiscard(() => output.write(encodeHeader(header)))
    return file
  }

  /** @param stateIndex in the header's states. Throws `state.key-not-in-range` and what serialization throws. */
  add(stateIndex: number, namespace: string | number | undefined, key: Key, value: unknown): Promise<void> {
    return this.#orDiscard(async () => {
      const encoded = [this.#serializer.encode(key), this.#serializer.encode(value)] as const
      const shown = (): string => inspect(key, { depth: 1, maxStringLength: 80 })
      this.#writer.add(stateIndex, encodeNamespace(namespace), hashKey(key), ...encoded, shown)
      if (this.#writer.due) await this.#writer.write(this.#output)
    })
  }

  close(): Promise<KeyedStateHandle> {
    return this.#orDiscard(async () => {
      const offsets = await this.#writer.finish(this.#output)
      const location = await this.#output.close()
      return { keyGroupRange: this.#header.keyGroupRange, offsets, location }
    })
  }

  /** Gives up: removes what was written. */
  discard(): Promise<void> {
    return discardQuietly(this.#output)
  }

  async #orDiscard<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      await this.discard()
      throw error
    }
  }
}
