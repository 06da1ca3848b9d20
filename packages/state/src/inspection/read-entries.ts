import { createValueSerializer, keyGroupOf } from '@flink-ts/serialization'
import type { StoredEntry, StoredState } from '../snapshot/keyed-format.ts'
import { LinkedHandles } from '../snapshot/linked-handles.ts'
import { checkOperatorFile, elementAt } from '../snapshot/operator-format.ts'
import { type ReadableHandle, readKeyGroups, type StateReader } from '../snapshot/read-key-groups.ts'
import type { OperatorState, OperatorStateMode, StateLocation } from '../snapshot/state-handle.ts'

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
 * @param only `state`: of this name; `key`: of this key, which reads only its key group; `keyGroup`: in this one
 */
export async function* readKeyedEntries(
  operator: OperatorState,
  storage: InspectedStorage,
  only: {
    readonly state?: string | undefined
    readonly key?: unknown
    readonly keyGroup?: number | undefined
  } = {},
): AsyncIterable<InspectedEntry> {
  const { maxParallelism } = operator
  const hasKey = 'key' in only
  const wanted = hasKey ? keyGroupOf(only.key, maxParallelism) : only.keyGroup
  const wantedKey = hasKey ? Buffer.from(createValueSerializer().encode(only.key)) : undefined
  for (const { state } of operator.subtasks) {
    const linked = new LinkedHandles(state.keyed, { storage })
    try {
      for (const keyGroup of keyGroupsOf(linked.handles)) {
        if (wanted !== undefined && keyGroup !== wanted) continue
        yield* readKeyGroup(linked.handles, keyGroup, storage, only.state, wantedKey)
      }
    } finally {
      linked.close()
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
function keyGroupsOf(handles: readonly ReadableHandle[]): readonly number[] {
  const groups = new Set<number>()
  for (const { keyGroupRange, offsets, store } of handles) {
    offsets.forEach((offset, i) => {
      // What a store has is known to itself only.
      if (offset >= 0 || store !== undefined) groups.add(keyGroupRange.start + i)
    })
  }
  return [...groups].sort((a, b) => a - b)
}

async function* readKeyGroup(
  handles: readonly ReadableHandle[],
  keyGroup: number,
  storage: StateReader,
  onlyState: string | undefined,
  onlyKey: Buffer | undefined,
): AsyncIterable<InspectedEntry> {
  const content = new KeyGroupContent()
  for (const handle of handles) {
    for await (const { header, entries } of readKeyGroups(
      handle,
      { start: keyGroup, end: keyGroup },
      storage,
    )) {
      for (const entry of entries()) {
        const stored = header.states[entry.stateIndex]
        if (stored === undefined || (onlyState !== undefined && stored.name !== onlyState)) continue
        if (stored.kind === 'timers' && handle.timersLater === true) continue
        if (onlyKey !== undefined && entry.key.length > 0 && !onlyKey.equals(entry.key)) continue
        if (handle.delta === 'removals') content.remove(stored, entry)
        else content.put(stored, entry)
      }
    }
  }
  yield* content.entries()
}

/** What a key group holds after all files that follow each other. */
class KeyGroupContent {
  readonly #decode = createValueSerializer().decode
  /** By state and namespace, by key, by part: the key of a map, the index of a piece of a list. */
  readonly #namespaces = new Map<string, Map<string, Map<string, InspectedEntry>>>()
  #timers = 0

  put({ name: state, kind, ttl }: StoredState, { namespace, key, value }: StoredEntry): void {
    const base = { state, kind, namespace, key: this.#decode(key) }
    const decoded = this.#decode(value)
    const parts = this.#parts(state, namespace, key)
    if (kind === 'map') {
      const [mapKey, inside] = decoded as [unknown, unknown]
      parts.set(textOf(createValueSerializer().encode(mapKey)), { ...base, mapKey, ...timed(inside, ttl) })
    } else if (kind === 'list') {
      const [index, elements] = decoded as [number, unknown[]]
      const values = ttl === undefined ? elements : elements.map(element => (element as [number, unknown])[1])
      parts.set(String(index).padStart(12, '0'), { ...base, value: values })
    } else if (kind === 'timers') parts.set(String(this.#timers++), { ...base, value: decoded })
    else parts.set('', { ...base, ...timed(decoded, ttl) })
  }

  remove({ name }: StoredState, { namespace, key, value }: StoredEntry): void {
    const keys = this.#namespaces.get(idOf(name, namespace))
    if (key.length === 0) keys?.clear()
    else if (value.length === 0) keys?.delete(textOf(key))
    else keys?.get(textOf(key))?.delete(textOf(value))
  }

  *entries(): Iterable<InspectedEntry> {
    for (const keys of this.#namespaces.values()) {
      for (const parts of keys.values()) {
        const [first] = parts.values()
        if (first === undefined) continue
        if (first.kind !== 'list') yield* parts.values()
        else {
          const pieces = [...parts].sort(([a], [b]) => (a < b ? -1 : 1))
          yield { ...first, value: pieces.flatMap(([, piece]) => piece.value as unknown[]) }
        }
      }
    }
  }

  #parts(
    state: string,
    namespace: string | number | undefined,
    key: Uint8Array,
  ): Map<string, InspectedEntry> {
    const id = idOf(state, namespace)
    const keys = this.#namespaces.get(id) ?? new Map<string, Map<string, InspectedEntry>>()
    this.#namespaces.set(id, keys)
    const text = textOf(key)
    const parts = keys.get(text) ?? new Map<string, InspectedEntry>()
    keys.set(text, parts)
    return parts
  }
}

const idOf = (state: string, namespace: string | number | undefined): string =>
  JSON.stringify([state, typeof namespace, namespace])

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

function timed(value: unknown, ttl: StoredState['ttl']): { value: unknown; time?: number } {
  if (ttl === undefined) return { value }
  const [time, plain] = value as [number, unknown]
  return { value: plain, time }
}
