import { hashKey, type ValueSerializer } from '@flink-ts/serialization'
import { KeyGroupWriter } from '../../snapshot/key-group-writer.ts'
import { encodeHeader, encodeNamespace, type KeyedSnapshotHeader } from '../../snapshot/keyed-format.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { type CheckpointStreamFactory, discardQuietly } from '../../storage/checkpoint-storage.ts'
import type { TableIdentity } from './copy-on-write.ts'
import type { Removal } from './removal-log.ts'

/** What a snapshot of changes needs to write removals. */
export interface RemovalWriting {
  readonly header: KeyedSnapshotHeader
  /** Index of each state in the header. */
  readonly indexes: ReadonlyMap<TableIdentity['state'], number>
  readonly serializer: ValueSerializer
  readonly streams: CheckpointStreamFactory
  /** Awaited for each removal: pauses when the slice is over. */
  readonly step: () => Promise<void> | undefined
}

const NOTHING = new Uint8Array(0)

/**
 * Writes the file that takes removed keys away: entries without a value; those of a removed part have its key as value,
 * and an entry without a key stands for all keys of the namespace in its key group. Undefined: there are none.
 */
export async function writeRemovals(
  removals: readonly Removal[],
  { header, indexes, serializer, streams, step }: RemovalWriting,
): Promise<KeyedStateHandle | undefined> {
  if (removals.length === 0) return undefined
  const { keyGroupRange, maxParallelism, compression = 'none' } = header
  const writer = new KeyGroupWriter({ keyGroupRange, maxParallelism, compression })
  const output = await streams.open('removals')
  try {
    await output.write(encodeHeader(header))
    for (const { state, namespace, entry, part } of removals) {
      const stateIndex = indexes.get(state)
      if (stateIndex === undefined) continue
      const encoded = encodeNamespace(namespace)
      const described = (): string => `of a removal in state '${state.name}'`
      if (entry === undefined) {
        for (let group = keyGroupRange.start; group <= keyGroupRange.end; group++) {
          writer.add(stateIndex, encoded, group, NOTHING, NOTHING, described)
        }
      } else {
        const value = part === undefined ? NOTHING : serializer.encode(part.key)
        writer.add(stateIndex, encoded, hashKey(entry.key), serializer.encode(entry.key), value, described)
      }
      if (writer.due) await writer.write(output)
      await step()
    }
    const offsets = await writer.finish(output)
    return { keyGroupRange, offsets, delta: 'removals', location: await output.close() }
  } catch (error) {
    await discardQuietly(output)
    throw error
  }
}
