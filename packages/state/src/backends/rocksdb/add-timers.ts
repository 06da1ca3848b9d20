import { inspect } from 'node:util'
import { hashKey, type ValueSerializer } from '@flink-ts/serialization'
import type { KeyGroupWriter } from '../../snapshot/key-group-writer.ts'
import { encodeNamespace } from '../../snapshot/keyed-format.ts'
import type { FrozenTimers } from '../hashmap/frozen-tables.ts'
import type { Pace } from '../hashmap/pace.ts'

/** Writes the timers of a snapshot. */
export async function addTimers(
  timers: readonly FrozenTimers[],
  writer: KeyGroupWriter,
  serializer: ValueSerializer,
  pace: Pace,
): Promise<void> {
  for (const { stateIndex, keys, namespaces, timestamps } of timers) {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      writer.add(
        stateIndex,
        encodeNamespace(namespaces[i]),
        hashKey(key),
        serializer.encode(key),
        serializer.encode(timestamps[i]),
        () => inspect(key, { depth: 1, maxStringLength: 80 }),
      )
      if (pace.isOver()) await pace.pause()
    }
  }
}
