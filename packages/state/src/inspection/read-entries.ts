import { createValueSerializer, keyGroupOf } from '@flink-ts/serialization'
import { checkOperatorFile, elementAt } from '../snapshot/operator-format.ts'
import { readKeyGroups, type StateReader } from '../snapshot/read-key-groups.ts'
import type {
  KeyedStateHandle,
  OperatorState,
  OperatorStateMode,
  StateLocation,
} from '../snapshot/state-handle.ts'

/** One value of keyed state, or one timer, of a snapshot. Lists are whole; of maps each entry comes alone. */
export interface InspectedEntry {
  readonly state: string
  readonly kind: string
  readonly namespace: string | number | undefined
  readonly key: unknown
  /** Of maps. */
  readonly mapKey?: unknown
  readonly value: unknown
  /** Milliseconds from which the time to live counts; NaN: not known yet. */
  readonly time?: number
}

/** An element of operator state: of broadcast maps `[key, value]`. */
export interface InspectedElement {
  readonly state: string
  readonly mode: OperatorStateMode
  readonly subtask: number
  readonly value: unknown
}

/** What reading needs of a storage. */
export interface InspectedStorage extends StateReader {
  read(location: StateLocation): Promise<Buffer>
}

/**
 * The keyed state of an operator, key group by key group, without any user code. Holds one key group in memory.
 * @param only `state`: of this name; `key`: of this key, which reads only its key group
 */
export async function* readKeyedEntries(
  operator: OperatorState,
  storage: InspectedStorage,
  only: { readonly state?: string | undefined; readonly key?: unknown } = {},
): AsyncIterable<InspectedEntry> {
  const { maxParallelism } = operator
  const hasKey = 'key' in only
  const wanted = hasKey ? keyGroupOf(only.key, maxParallelism) : undefined
  const wantedKey = hasKey ? Buffer.from(createValueSerializer().encode(only.key)) : undefined
  for (const { state } of operator.subtasks) {
    for (const keyGroup of keyGroupsOf(state.keyed)) {
      if (wanted !== undefined && keyGroup !== wanted) continue
      yield* readKeyGroup(state.keyed, keyGroup, storage, only.state, wantedKey)
    }
  }
}

/** Elements of the operator state of all subtasks. */
export async function* readOperatorElements(
  operator: OperatorState,
  storage: InspectedStorage,
): AsyncIterable<InspectedElement> {
  const serializer = createValueSerializer()
  for (const { index: subtask, state } of operator.subtasks) {
    for (const { location, states } of state.operator) {
      const where = location.type === 'file' ? location.path : 'the metadata of the checkpoint'
      const file = await storage.read(location)
      checkOperatorFile(file, where)
      for (const { name, mode, offsets } of states) {
        for (const offset of offsets) {
          const value = serializer.decode(elementAt(file, offset, where))
          yield { state: name, mode, subtask, value }
        }
      }
    }
  }
}

/** Key groups that have anything in these handles, in order. */
function keyGroupsOf(handles: readonly KeyedStateHandle[]): readonly number[] {
  const groups = new Set<number>()
  for (const { keyGroupRange, offsets } of handles) {
    offsets.forEach((offset, i) => {
      if (offset >= 0) groups.add(keyGroupRange.start + i)
    })
  }
  return [...groups].sort((a, b) => a - b)
}

async function* readKeyGroup(
  handles: readonly KeyedStateHandle[],
  keyGroup: number,
  storage: StateReader,
  onlyState: string | undefined,
  onlyKey: Buffer | undefined,
): AsyncIterable<InspectedEntry> {
  const { decode } = createValueSerializer()
  const lists = new Map<string, { readonly first: InspectedEntry; readonly pieces: Map<number, unknown[]> }>()
  for (const handle of handles) {
    for await (const { header, entries } of readKeyGroups(
      handle,
      { start: keyGroup, end: keyGroup },
      storage,
    )) {
      for (const { stateIndex, namespace, key: keyBytes, value: valueBytes } of entries()) {
        const stored = header.states[stateIndex]
        if (stored === undefined || (onlyState !== undefined && stored.name !== onlyState)) continue
        if (onlyKey !== undefined && !onlyKey.equals(keyBytes)) continue
        const { name: state, kind, ttl } = stored
        const base = { state, kind, namespace, key: decode(keyBytes) }
        const value = decode(valueBytes)
        if (kind === 'list') {
          const [index, elements] = value as [number, unknown[]]
          const id = JSON.stringify([
            state,
            typeof namespace,
            namespace,
            Buffer.from(keyBytes).toString('latin1'),
          ])
          const list = lists.get(id) ?? {
            first: { ...base, value: undefined },
            pieces: new Map<number, unknown[]>(),
          }
          lists.set(id, list)
          list.pieces.set(
            index,
            ttl === undefined ? elements : elements.map(e => (e as [number, unknown])[1]),
          )
          continue
        }
        const [own, inside] =
          kind === 'map'
            ? [{ mapKey: (value as [unknown, unknown])[0] }, (value as [unknown, unknown])[1]]
            : [{}, value]
        if (ttl === undefined) yield { ...base, ...own, value: inside }
        else {
          const [time, plain] = inside as [number, unknown]
          yield { ...base, ...own, value: plain, time }
        }
      }
    }
  }
  for (const { first, pieces } of lists.values()) {
    const inOrder = [...pieces].sort(([a], [b]) => a - b)
    yield { ...first, value: inOrder.flatMap(([, elements]) => elements) }
  }
}
